import { setTimeout as sleep } from 'node:timers/promises';
import { uuidv7 } from '@taskflow/core/ids';
import { decideWhen } from '@taskflow/core/submit';
import type { AppendedPosition, AppendRecord } from '@taskflow/log/appender';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskQueued, TaskScheduled } from '@taskflow/schemas/events';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { within } from '@taskflow/service/within';
import { canonicalHash } from '../http/canonicalJson.ts';
import type { Principal } from '../http/principal.ts';
import { type FieldError, Problem } from '../http/problem.ts';
import type { ApiMetrics } from '../metrics.ts';
import type { Limits } from '../ports.ts';
import type { Submission } from '../shapes/submission.ts';
import type { TypeCatalogue } from '../types.ts';
import { appendProblem, partlyAccepted } from './appendProblems.ts';
import type { Claim, IdempotencyKeys, KeyedTasks } from './idempotencyKeys.ts';
import { planTask, type TaskPlan } from './planTask.ts';
import { queuedTasks } from './queuedTasks.ts';
import { requireKept } from './requireKept.ts';
import { badTasks, idempotencyUnavailable } from './submissionProblems.ts';

/** How long a claim of an idempotency key outlives its api, and how often a living one renews it. */
export const CLAIM_MS = 3_000;
const RENEW_EVERY_MS = 1_000;

/** A task whose event the log has, as it was submitted; where its record lies is known to whoever appended it. */
export interface AcceptedTask {
  readonly event: TaskQueued | TaskScheduled;
  readonly payload: unknown;
  readonly position: AppendedPosition | undefined;
}

export interface Accepted {
  /** Whether this request made the tasks; false where an earlier one with its idempotency key did. */
  readonly created: boolean;
  readonly tasks: readonly AcceptedTask[];
}

interface Needs {
  readonly types: TypeCatalogue;
  readonly codec: Pick<Codec, 'encode'>;
  readonly append: (records: readonly AppendRecord[]) => Promise<readonly AppendedPosition[]>;
  /** Partitions of a topic: at once where they are known. */
  readonly partitionsOf: (topic: string) => number | Promise<number>;
  /** How long a topic keeps its records, in milliseconds. */
  readonly retentionOf: (topic: string) => Promise<number>;
  readonly keys: IdempotencyKeys;
  readonly limits: Limits;
  readonly metrics: Pick<ApiMetrics, 'tasksAccepted'>;
  /** How long a request waits for another one that appends the tasks of its key. */
  readonly busyMs: number;
}

/** Takes tasks in: checks them, and answers only after the log has acknowledged their events. */
export class Submissions {
  readonly #needs: Needs;
  /** Keyed submissions that this process is appending, so that repeats need not ask PostgreSQL whether it is done. */
  readonly #appending = new Map<string, Promise<unknown>>();
  #queuePartition = 0;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Without a key it takes nothing but the log. `body` is what the key's hash is of. */
  async submit(
    principal: Principal,
    submissions: readonly Submission[],
    batch: boolean,
    key: string | undefined,
    body: unknown,
  ): Promise<Accepted> {
    const plans = this.#plan(submissions, batch);
    if (plans.some(({ runAt }) => runAt !== null)) await requireKept(plans, batch, this.#needs.retentionOf);
    const events = await queuedTasks(plans, {
      userId: principal.userId,
      now: Date.now(),
      maxTaskBytes: this.#needs.limits.maxTaskBytes,
      eventsPartitions: (type, priority) => this.#partitions(eventsTopic(type, priority)),
      pathOf: (index) => (batch ? ['tasks', index] : []),
    });
    if (key === undefined) return { created: true, tasks: await this.#append(events, plans) };
    return this.#submitKeyed(principal, key, canonicalHash(body), events, plans);
  }

  #plan(submissions: readonly Submission[], batch: boolean): TaskPlan[] {
    const { types } = this.#needs;
    const errors: FieldError[] = [];
    const plans: TaskPlan[] = [];
    const path: PropertyKey[] = batch ? ['tasks', 0] : [];
    for (let i = 0; i < submissions.length; i++) {
      if (batch) path[1] = i;
      const plan = planTask(submissions[i] as Submission, types, errors, path);
      if (plan !== undefined) plans.push(plan);
    }
    if (errors.length > 0) throw badTasks(errors, submissions, types);
    return plans;
  }

  async #submitKeyed(
    { userId }: Principal,
    key: string,
    bodyHash: string,
    fresh: readonly TaskQueued[],
    plans: readonly TaskPlan[],
  ): Promise<Accepted> {
    const { keys, busyMs } = this.#needs;
    const tasks = {
      ids: fresh.map(({ taskId }) => taskId),
      eventsPartitions: fresh.map(({ eventsPartition }) => eventsPartition),
      createdAt: (fresh[0] as TaskQueued).occurredAt,
    };
    const name = `${userId} ${key}`;
    const deadline = performance.now() + busyMs;
    for (let pause = 10; ; pause = Math.min(pause * 2, 250)) {
      const claim = await keys.claim({ userId, key, bodyHash, tasks }).catch(idempotencyUnavailable);
      if (claim.kind === 'append') return this.#appendClaimed(name, userId, key, bodyHash, claim, fresh, plans);
      if (claim.kind === 'appended') {
        const events = withIds(fresh, claim.tasks, key, bodyHash, false);
        const tasks = events.map((queued, i) => {
          const plan = plans[i] as TaskPlan;
          return accepted(decideWhen(queued, plan.runAt), plan, undefined);
        });
        return { created: false, tasks };
      }
      if (claim.kind === 'conflict') {
        throw new Problem(
          'idempotency-conflict',
          'This Idempotency-Key was used with another body in the last 24 hours.',
        );
      }
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Problem('log-unavailable', 'Another request with this Idempotency-Key is still being accepted.', {
          retryAfter: 1,
        });
      }
      const ours = this.#appending.get(name);
      await (ours === undefined ? sleep(Math.min(pause, left)) : within(left, ours));
    }
  }

  async #appendClaimed(
    name: string,
    userId: string,
    key: string,
    bodyHash: string,
    claim: Extract<Claim, { kind: 'append' }>,
    fresh: readonly TaskQueued[],
    plans: readonly TaskPlan[],
  ): Promise<Accepted> {
    const events = withIds(fresh, claim.tasks, key, bodyHash, claim.again);
    const settle = (outcome: 'appended' | 'failed') =>
      // Where this does not get through, the next request with the key appends the same tasks again, marked for a check.
      this.#needs.keys.settle(userId, key, claim.tasks.ids[0] as string, outcome).catch(() => {});
    const appending = this.#append(events, plans).then(
      async (tasks) => {
        await settle('appended');
        return tasks;
      },
      async (error: unknown) => {
        await settle('failed');
        throw error;
      },
    );
    const settled = appending.catch(() => {});
    this.#appending.set(name, settled);
    const renewal = setInterval(() => {
      this.#needs.keys.renew(userId, key, claim.tasks.ids[0] as string).catch(() => {});
    }, RENEW_EVERY_MS);
    try {
      return { created: true, tasks: await appending };
    } finally {
      clearInterval(renewal);
      if (this.#appending.get(name) === settled) this.#appending.delete(name);
    }
  }

  async #append(queued: readonly TaskQueued[], plans: readonly TaskPlan[]): Promise<AcceptedTask[]> {
    const { codec, append, metrics } = this.#needs;
    const records = new Array<AppendRecord>(queued.length);
    const events = new Array<TaskQueued | TaskScheduled>(queued.length);
    for (let i = 0; i < queued.length; i++) {
      const { eventsPartition } = queued[i] as TaskQueued;
      const event = decideWhen(queued[i] as TaskQueued, (plans[i] as TaskPlan).runAt);
      events[i] = event;
      if (event.event === 'TaskScheduled') {
        const topic = eventsTopic(event.type, event.priority);
        records[i] = { topic, partition: eventsPartition, key: event.taskId, value: codec.encode(event) };
        continue;
      }
      const topic = queueTopic(event.type, event.priority);
      const partitions = this.#partitions(topic);
      const count = typeof partitions === 'number' ? partitions : await partitions;
      // Any partition will do: the queue is shared by all workers, and the task's order is kept by its events partition.
      const partition = count === 1 ? 0 : this.#queuePartition++ % count;
      records[i] = { topic, partition, key: event.taskId, value: codec.encode(event) };
    }
    let positions: readonly AppendedPosition[];
    try {
      positions = await append(records);
    } catch (error) {
      throw partlyAccepted(error, events) ?? appendProblem(error);
    }
    countAccepted(events, metrics.tasksAccepted);
    return events.map((event, i) => accepted(event, plans[i] as TaskPlan, positions[i]));
  }

  #partitions(topic: string): number | Promise<number> {
    const known = this.#needs.partitionsOf(topic);
    return typeof known === 'number'
      ? known
      : known.catch((error: unknown) => {
          throw appendProblem(error);
        });
  }
}

/** Counts neighbours of one type and priority at once, as a batch mostly has no others: a counter hashes its labels each time. */
function countAccepted(events: readonly (TaskQueued | TaskScheduled)[], counter: ApiMetrics['tasksAccepted']): void {
  for (let from = 0; from < events.length; ) {
    const { type, priority } = events[from] as TaskQueued | TaskScheduled;
    let to = from + 1;
    while (events[to]?.type === type && events[to]?.priority === priority) to++;
    counter.inc({ type, priority }, to - from);
    from = to;
  }
}

function accepted(
  event: TaskQueued | TaskScheduled,
  plan: TaskPlan,
  position: AppendedPosition | undefined,
): AcceptedTask {
  return { event, payload: plan.submission.payload, position };
}

/** The events with the ids, partitions and time that the key's row holds; another copy is another event. */
function withIds(
  fresh: readonly TaskQueued[],
  { ids, eventsPartitions, createdAt }: KeyedTasks,
  key: string,
  bodyHash: string,
  check: boolean,
): TaskQueued[] {
  return fresh.map((event, i) => ({
    ...event,
    taskId: ids[i] as string,
    eventId: check ? uuidv7() : event.eventId,
    eventsPartition: eventsPartitions[i] as number,
    occurredAt: createdAt,
    task: { ...event.task, idempotencyKey: key, bodyHash },
    check,
  }));
}
