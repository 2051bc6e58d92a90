import { setTimeout as sleep } from 'node:timers/promises';
import { cancelSignal, decideCancel } from '@taskflow/core/cancel';
import { uuidv7 } from '@taskflow/core/ids';
import { decideRedrive, isRedrivable } from '@taskflow/core/redrive';
import type { AppendedPosition, AppendRecord } from '@taskflow/log/appender';
import type { TaskCancelRequested, TaskEvent } from '@taskflow/schemas/events';
import { evolve, versionOf } from '@taskflow/schemas/fold';
import type { Logger } from '@taskflow/service/logger';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';
import type { ApiMetrics } from '../metrics.ts';
import type { ShownState } from '../views/taskAnswer.ts';
import type { TaskReading } from '../views/taskReading.ts';
import type { CommandLog } from './commandLog.ts';
import { commandNotTaken, notCancellable, notRedrivable } from './commandProblems.ts';
import type { RedriveClaim, RedriveClaims } from './redriveClaims.ts';

interface Needs {
  readonly reading: TaskReading;
  readonly log: CommandLog;
  readonly claims: RedriveClaims;
  readonly metrics: Pick<ApiMetrics, 'commands'>;
  readonly logger: Logger;
  /** How long a request waits for another one that opens the same generation. */
  readonly busyMs: number;
}

/** Who commands what, and in which request. */
export interface Command {
  readonly principal: Principal;
  readonly taskId: string;
  readonly reason: string | null;
  readonly requestId: string;
}

/** How long the answer waits for the view to show what was done. */
const SHOWN_WITHIN_MS = 2_000;

/**
 * Commands on one task. What core decides is decided on the state that the view shows; the log has the last word: the answer is given
 * when the view has read the command's own event, and says what became of the task.
 */
export class TaskCommands {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Ends a task that has not ended: the event first, and when that is acknowledged, the signal to whoever may run it. */
  async cancel(command: Command): Promise<ShownState> {
    const { reading, log } = this.#needs;
    const { principal, reason } = command;
    const state = await reading.get(principal, command.taskId);
    const decision = decideCancel(state, {
      now: Date.now(),
      eventId: uuidv7(),
      signalId: uuidv7(),
      actor: principal.userId,
      reason,
    });
    if (decision.kind === 'refused') {
      // Whoever cancelled it may have died before the signal: it is the same each time, so it is given again.
      if (state.status === 'cancelled') await this.#signal(cancelSignal(state, { now: Date.now(), eventId: uuidv7() }));
      return this.#refuse('cancel', command, notCancellable(state.status));
    }
    const { event } = decision;
    const position = await this.#append(log.cancelled(event, await log.eventsPartition(state)));
    await this.#signal(decision.signal);
    const shown = await this.#shown(principal, state, event, position);
    const isDone = shown.status === 'cancelled' && shown.decidedBy === event.eventId;
    if (!isDone) return this.#refuse('cancel', command, notCancellable(shown.status));
    return this.#done('cancel', command, shown);
  }

  /** Opens a failed or cancelled task again. Of several who ask at once one does. */
  async redrive(command: Command): Promise<ShownState> {
    const { reading, log, claims } = this.#needs;
    const { principal, taskId, reason } = command;
    const state = await reading.get(principal, taskId);
    if (!isRedrivable(state.status)) return this.#refuse('retry', command, notRedrivable(state.status));
    const intent = { taskId, generation: state.generation + 1, eventId: uuidv7() };
    const claim = await this.#claim(intent, { actor: principal.userId, reason });
    if (claim.kind !== 'append') {
      const opened = versionOf({ event: 'TaskQueued', generation: intent.generation, attempt: 1 });
      const now = await reading.reached(principal, taskId, opened, SHOWN_WITHIN_MS);
      return this.#refuse('retry', command, notRedrivable(now?.status ?? 'queued'));
    }
    const decision = decideRedrive(state, {
      now: claim.at,
      eventId: claim.eventId,
      eventsPartition: await log.eventsPartition(state),
      check: claim.again,
      ...claim.by,
    });
    if (decision.kind === 'refused') return this.#refuse('retry', command, notRedrivable(decision.status));
    let position: AppendedPosition;
    try {
      position = await this.#append(await log.queued(decision.event));
    } catch (error) {
      await claims.settle([intent], 'failed').catch(() => {});
      throw error;
    }
    // Where this does not get through, the claim ends by itself, and the view shows the new generation by then.
    await claims.settle([intent], 'appended').catch(() => {});
    return this.#done('retry', command, await this.#shown(principal, state, decision.event, position));
  }

  async #claim(
    intent: Parameters<RedriveClaims['claim']>[0][number],
    by: Parameters<RedriveClaims['claim']>[1],
  ): Promise<Exclude<RedriveClaim, { kind: 'busy' }>> {
    const { claims, busyMs } = this.#needs;
    const deadline = performance.now() + busyMs;
    for (let pause = 10; ; pause = Math.min(pause * 2, 250)) {
      const claim = (await claims.claim([intent], by).catch(claimsUnavailable)).get(intent.taskId);
      if (claim !== undefined && claim.kind !== 'busy') return claim;
      if (performance.now() + pause > deadline) {
        const detail = 'Another request is running this task again, and has not ended yet.';
        throw new Problem('log-unavailable', detail, { retryAfter: 1 });
      }
      await sleep(pause);
    }
  }

  async #append(record: AppendRecord): Promise<AppendedPosition> {
    try {
      return (await this.#needs.log.append([record]))[0] as AppendedPosition;
    } catch (error) {
      throw commandNotTaken(error);
    }
  }

  async #signal(signal: TaskCancelRequested): Promise<void> {
    try {
      await this.#needs.log.append([this.#needs.log.control(signal)]);
    } catch (error) {
      throw new Problem(
        'log-unavailable',
        'The task is cancelled, but the event log did not take the signal to its worker: try again, else it may run to its end in vain.',
        { retryAfter: 2, cause: error },
      );
    }
  }

  /** The task once the view has read the event; as it will be then, where that takes too long. */
  async #shown(
    principal: Principal,
    before: ShownState,
    event: TaskEvent,
    position: AppendedPosition,
  ): Promise<ShownState> {
    const shown = await this.#needs.reading.reached(principal, before.id, versionOf(event), SHOWN_WITHIN_MS);
    return shown ?? (evolve(before, { event, ...position }) as ShownState);
  }

  #done(name: string, { taskId, principal, reason, requestId }: Command, task: ShownState): ShownState {
    const { metrics, logger } = this.#needs;
    metrics.commands.inc({ command: name, outcome: 'done' });
    const { type, generation } = task;
    logger.info('A task was commanded', {
      command: name,
      requestId,
      taskId,
      type,
      generation,
      actor: principal.userId,
      reason,
    });
    return task;
  }

  #refuse(name: string, { taskId, principal, requestId }: Command, problem: Problem): never {
    const { metrics, logger } = this.#needs;
    metrics.commands.inc({ command: name, outcome: 'refused' });
    logger.info('A command was refused', {
      command: name,
      requestId,
      taskId,
      actor: principal.userId,
      problem: problem.kind,
      detail: problem.message,
    });
    throw problem;
  }
}

function claimsUnavailable(error: unknown): never {
  throw new Problem('store-unavailable', 'Whether somebody runs this task again cannot be looked up at present.', {
    retryAfter: 2,
    cause: error,
  });
}
