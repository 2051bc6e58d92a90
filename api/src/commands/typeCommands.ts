import { applyControl, type ControlState, emptyControl } from '@taskflow/core/control';
import { uuidv7 } from '@taskflow/core/ids';
import type { TypePaused, TypeResumed } from '@taskflow/schemas/events';
import type { ControlEntry } from '@taskflow/service/controlTopic';
import type { Logger } from '@taskflow/service/logger';
import { within } from '@taskflow/service/within';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';
import type { ApiMetrics } from '../metrics.ts';
import type { KnownType, TypeCatalogue } from '../types.ts';
import type { CommandLog } from './commandLog.ts';
import { commandNotTaken } from './commandProblems.ts';

/** What this process has read of `taskflow.control`: which types are paused. */
export class TypeControl {
  readonly #state: ControlState = emptyControl();
  readonly #waiters = new Set<() => void>();
  #readUpTo = -1;

  isPaused(type: string): boolean {
    return this.#state.paused.has(type);
  }

  /** Takes in what the topic says, in its order. Signals about tasks are none of the api's business. */
  apply({ key, record, offset }: ControlEntry): void {
    if (record?.event !== 'TaskCancelRequested') applyControl(this.#state, key, record);
    this.#readUpTo = offset;
    for (const wake of this.#waiters) wake();
  }

  /** Resolves when the record at this offset has been read. */
  async read(offset: number): Promise<void> {
    while (this.#readUpTo < offset) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }
}

interface Needs {
  readonly types: TypeCatalogue;
  readonly control: TypeControl;
  readonly log: CommandLog;
  readonly metrics: Pick<ApiMetrics, 'commands'>;
  readonly logger: Logger;
}

export interface TypeCommand {
  readonly principal: Principal;
  readonly type: string;
  readonly reason: string | null;
  readonly requestId: string;
}

/** How long the answer waits until this api itself shows the change. */
const SHOWN_WITHIN_MS = 2_000;

/** Pausing and resuming of types: it concerns the tasks of all users, so only an administrator may. */
export class TypeCommands {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  isPaused(type: string): boolean {
    return this.#needs.control.isPaused(type);
  }

  pause(command: TypeCommand): Promise<KnownType> {
    return this.#write('pause', 'TypePaused', command);
  }

  resume(command: TypeCommand): Promise<KnownType> {
    return this.#write('resume', 'TypeResumed', command);
  }

  async #write(
    name: 'pause' | 'resume',
    event: (TypePaused | TypeResumed)['event'],
    { principal, type, reason, requestId }: TypeCommand,
  ): Promise<KnownType> {
    const { types, control, log, metrics, logger } = this.#needs;
    const outcome = (what: 'done' | 'refused') => metrics.commands.inc({ command: name, outcome: what });
    if (principal.role !== 'admin') {
      outcome('refused');
      throw new Problem('forbidden', 'A type serves all users: only an administrator can pause or resume it.');
    }
    const known = types.get(type);
    if (known === undefined) {
      outcome('refused');
      throw new Problem('type-not-found', `No worker has published a task type "${type}".`);
    }
    const record = { event, type, eventId: uuidv7(), reason, actor: principal.userId, occurredAt: Date.now() };
    const [position] = await log.append([log.control(record)]).catch((error: unknown) => {
      throw commandNotTaken(error);
    });
    if (position !== undefined) await within(SHOWN_WITHIN_MS, control.read(position.offset));
    outcome('done');
    logger.info('A type was commanded', { command: name, requestId, type, actor: principal.userId, reason });
    return known;
  }
}
