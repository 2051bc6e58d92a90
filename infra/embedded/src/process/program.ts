/** What to execute. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment; without it, this process's own. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** Whom it runs as, where that is not the user of this process. */
  readonly user?: SystemUser | undefined;
}

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** A server or service that can be started, asked whether it answers, and stopped: everything the stack is made of. */
export interface Program {
  /** As shown to people, and the name of its log file: `kafka`, `worker-1`. */
  readonly name: string;
  /** The port of 127.0.0.1 by which one knows it. */
  readonly port: number;
  /** Absolute; both its output streams are appended to it. */
  readonly logFile: string;
  /** Makes ready what the program needs on disk (idempotent, before each start), and gives the command. */
  prepare(): Promise<Command>;
  /** True once the program gives a real answer to its protocol. Asked again and again; an error counts as no. */
  ready(): Promise<boolean>;
  /** What must be done in the running program before anyone uses it; idempotent, done after each start. */
  initialise?(): Promise<void>;
  /** A sentence that explains an exit code of its own, where that says more than the log. */
  explainExit?(code: number): string | undefined;
  /** Asks for an orderly end. */
  readonly stopSignal: NodeJS.Signals;
  /** Ends it at once with nothing left behind, where SIGKILL leaves something (PostgreSQL: a shared memory segment). */
  readonly crashSignal?: NodeJS.Signals | undefined;
  /** How long an orderly end may take before it is enforced. */
  readonly stopTimeoutMs: number;
  /** How long a start may take. */
  readonly readyTimeoutMs: number;
}
