import { hasEnded, type TaskStatus } from '@taskflow/schemas/fold';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';
import type { ChangeSignals } from './changeSignals.ts';
import type { ShownState } from './taskAnswer.ts';
import type { TaskView } from './taskView.ts';
import type { ViewPositions } from './viewPositions.ts';

/** How long an answer waits for the view to catch up with the log. */
const CATCH_UP_MS = 2_000;
/** How often somebody who waits for an end looks by himself: soon at first, as the signal may have been missed. */
const FIRST_LOOK_MS = 20;
const LOOK_AT_LEAST_EVERY_MS = 1_000;
const LOOK_WITHOUT_SIGNALS_MS = 100;

interface Needs {
  readonly view: TaskView;
  readonly positions: ViewPositions;
  readonly signals: ChangeSignals;
  /** Whether signals are to be expected (Redis answers). */
  readonly signalled: () => boolean;
  /** Aborted when the api stops: whoever waits for an end is then answered at once. */
  readonly stopping: AbortSignal;
}

/** Reads of the view `tasks` that wait for what is on the log, but not in the view yet. */
export class TaskReading {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /**
   * The task as the view has it. Where it does not have it, the view may only be behind: it is looked at again at each
   * change of the task, and last when it has passed the log's end as of the call. So a task just created is never
   * `task-not-found`; where the view does not get there in two seconds, the answer is `view-behind`.
   */
  async get(principal: Principal, id: string): Promise<ShownState> {
    const look = () => this.#needs.view.get(principal, id);
    const found = await look();
    if (found !== undefined) return found;
    const { positions, signals } = this.#needs;
    const waiting = { stopped: false };
    let wake: () => void = () => {};
    const stopWatching = signals.watchTask(id, () => wake());
    try {
      const end = positions.passed(CATCH_UP_MS, waiting).catch((error: unknown) => {
        throw new Problem('view-behind', 'Whether there is such a task cannot be said while the log does not answer.', {
          retryAfter: 2,
          cause: error,
        });
      });
      for (;;) {
        const changed = new Promise<undefined>((resolve) => {
          wake = () => resolve(undefined);
        });
        const passed = await Promise.race([end, changed]);
        const now = await look();
        if (now !== undefined) return now;
        if (passed === true) throw new Problem('task-not-found', `There is no task ${id}.`);
        if (passed === false) {
          throw new Problem('view-behind', `The view of tasks is more than ${CATCH_UP_MS / 1_000} s behind the log.`, {
            retryAfter: 1,
          });
        }
      }
    } finally {
      waiting.stopped = true;
      stopWatching();
    }
  }

  /** Waits until the view shows all that the log holds now: for what acts on whatever it shows. */
  async caughtUp(limitMs: number): Promise<void> {
    const passed = await this.#needs.positions.passed(limitMs).catch((error: unknown) => {
      throw new Problem(
        'view-behind',
        'Whether the view shows all cannot be said while the log or the view does not answer.',
        {
          retryAfter: 2,
          cause: error,
        },
      );
    });
    if (passed) return;
    const detail = `The view of tasks is more than ${limitMs / 1_000} s behind the log.`;
    throw new Problem('view-behind', detail, { retryAfter: 5 });
  }

  /** Tasks that the log has, as they are now; without those that the view cannot show by the time that it should. */
  async getMany(principal: Principal, ids: readonly string[]): Promise<ReadonlyMap<string, ShownState>> {
    const { view, positions } = this.#needs;
    try {
      const known = await view.getMany(principal, ids);
      if (known.size === ids.length || !(await positions.passed(CATCH_UP_MS))) return known;
      return await view.getMany(principal, ids);
    } catch {
      return new Map();
    }
  }

  /** The task once it has ended, or as it is after `limitMs`; undefined where the view does not show it by then. */
  ended(principal: Principal, id: string, limitMs: number, gone: AbortSignal): Promise<ShownState | undefined> {
    const giveUp = AbortSignal.any([gone, AbortSignal.timeout(limitMs)]);
    return this.#watched(principal, id, giveUp, hasEnded, ({ status }) => hasEnded(status));
  }

  /** The task once the view shows this version of it, or a later one; undefined where it does not within `limitMs`. */
  async reached(principal: Principal, id: string, version: number, limitMs: number): Promise<ShownState | undefined> {
    const isThere = (task: ShownState) => task.version >= version;
    const task = await this.#watched(principal, id, AbortSignal.timeout(limitMs), () => true, isThere);
    return task !== undefined && isThere(task) ? task : undefined;
  }

  /** Looks at a task when a change to such a status is told, and now and then by itself, until it is as wanted. */
  async #watched(
    principal: Principal,
    id: string,
    limit: AbortSignal,
    wakesBy: (status: TaskStatus) => boolean,
    isWanted: (task: ShownState) => boolean,
  ): Promise<ShownState | undefined> {
    const { view, signals, signalled, stopping } = this.#needs;
    const giveUp = AbortSignal.any([limit, stopping]);
    let wake: () => void = () => {};
    const stopWatching = signals.watchTask(id, (status) => {
      if (wakesBy(status)) wake();
    });
    const stopWaiting = () => wake();
    giveUp.addEventListener('abort', stopWaiting);
    let task: ShownState | undefined;
    try {
      for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 2, LOOK_AT_LEAST_EVERY_MS)) {
        const last = giveUp.aborted;
        if (!last) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, signalled() ? pause : Math.min(pause, LOOK_WITHOUT_SIGNALS_MS));
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        // While PostgreSQL is away the task goes on all the same; so does the wait for it.
        task = (await view.get(principal, id).catch(() => undefined)) ?? task;
        if (last || (task !== undefined && isWanted(task))) return task;
      }
    } finally {
      giveUp.removeEventListener('abort', stopWaiting);
      stopWatching();
    }
  }
}
