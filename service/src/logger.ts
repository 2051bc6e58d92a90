import winston from 'winston';

/** Least severe level that is written. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Fields of a line. `requestId` and `taskId` are the names by which lines are searched; an `Error` is written with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes JSON lines. Has the four functions that `@taskflow/log/logger` asks for. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Whether a line of this level is written: ask before preparing costly fields. */
  enabled(level: LogLevel): boolean;
  /** The same logger with more fields in each of its lines (`requestId`, `taskId`, …). */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Name of the process in each line: `api`, `projector`, `worker-1`. */
  readonly service: string;
  readonly level: LogLevel;
  /** Where lines go; stdout if absent. */
  readonly stream?: NodeJS.WritableStream;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** One JSON object a line: `time`, `level`, `service`, `message`, then the fields. */
export function createLogger(options: LoggerOptions): Logger {
  const sink = winston.createLogger({
    levels: SEVERITY as Record<LogLevel, number>,
    level: 'debug',
    format: winston.format.printf((line) => line.message as string),
    transports: [
      options.stream
        ? new winston.transports.Stream({ stream: options.stream })
        : new winston.transports.Console({ forceConsole: false }),
    ],
  });
  const write = (level: LogLevel, line: string) => sink.log(level, line);
  return loggerOf(write, SEVERITY[options.level], { service: options.service });
}

/** A logger that drops everything, for tests. */
export const silentLogger: Logger = loggerOf(() => {}, -1, {});

// The level is compared here and not by winston, which builds and pipes a line before it drops it.
function loggerOf(write: (level: LogLevel, line: string) => void, severity: number, bound: LogFields): Logger {
  const at = (level: LogLevel) =>
    SEVERITY[level] <= severity
      ? (message: string, fields?: LogFields) => write(level, format(level, message, bound, fields))
      : drop;
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    enabled: (level) => SEVERITY[level] <= severity,
    child: (fields) => loggerOf(write, severity, { ...bound, ...fields }),
  };
}

function drop(): void {}

function format(level: LogLevel, message: string, bound: LogFields, fields: LogFields | undefined): string {
  const { service, ...context } = bound;
  const line = { time: new Date().toISOString(), level, service, message, ...context, ...fields };
  try {
    return JSON.stringify(line, plain);
  } catch {
    // A circular field must not cost the line, and still less the process.
    return JSON.stringify({ time: line.time, level, service, message, fields: 'not serialisable' });
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Error) return describeError(value);
  return value;
}

function describeError(error: Error): Record<string, unknown> {
  const described: Record<string, unknown> = { name: error.name, message: error.message, stack: error.stack };
  if ('code' in error) described.code = error.code;
  if (error.cause !== undefined) described.cause = error.cause;
  if (error instanceof AggregateError) described.errors = error.errors;
  return described;
}
