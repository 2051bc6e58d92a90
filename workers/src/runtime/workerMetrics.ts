import { errorCodes } from '@taskflow/core/errorCodes';
import type { Suspicion } from '@taskflow/core/suspicion';
import type { TaskFailed, TaskRetryScheduled, TaskSucceeded } from '@taskflow/schemas/events';
import { LATENCY_BUCKETS_SECONDS, type Metrics } from '@taskflow/service/metrics';

export interface TypeMetrics {
  fetched(records: number): void;
  ended(event: TaskSucceeded | TaskFailed | TaskRetryScheduled, durationMs: number): void;
  rejected(reason: string): void;
  /** A record is to be checked before it may run. */
  checked(suspicion: Suspicion): void;
  /** What became of a record that was checked: run, accept, hand-over, fail, give-back. */
  decided(action: string): void;
  /** What became of the start of such a record: run, accept, drop. */
  claimed(action: string): void;
  handedOver(reason: string): void;
  readonly late: { inc(): void };
  readonly zombies: { inc(): void };
  readonly overtaken: { inc(): void };
  readonly resumed: { inc(): void };
  readonly cancelled: { inc(): void };
  readonly locksLost: { inc(count?: number): void };
}

/** The figures of a worker, declared once for the process. */
export function workerMetrics(metrics: Metrics) {
  const tasks = metrics.counter(
    'worker_tasks_total',
    'Runs ended by this process, by type and outcome (succeeded, or the error code; retried ones, too).',
    ['type', 'outcome'],
  );
  const duration = metrics.histogram(
    'worker_task_duration_seconds',
    'From the start of a handler to its end.',
    [...LATENCY_BUCKETS_SECONDS, 30, 60, 300],
    ['type'],
  );
  const fetched = metrics.histogram(
    'worker_fetch_records',
    'Records that a fetch gave, empty ones left out.',
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
    ['type'],
  );
  const rejected = metrics.counter(
    'worker_rejected_total',
    'Records of the queue that could not be processed, by reason.',
    ['type', 'reason'],
  );
  const checked = metrics.counter(
    'worker_checked_total',
    'Records that may have run before, looked up on the log first, by why (redelivered, forgotten by the broker, copy).',
    ['type', 'because'],
  );
  const decided = metrics.counter(
    'worker_check_decisions_total',
    'What the log said of records that may have run before: run, accept, hand-over, fail, give-back.',
    ['type', 'decision'],
  );
  const claimed = metrics.counter(
    'worker_claims_total',
    'Starts of records that may have run before: run, or given up because somebody else was faster (accept) or the lock had passed (drop).',
    ['type', 'decision'],
  );
  const handedOver = metrics.counter(
    'worker_hand_overs_total',
    'Runs whose lease moved to the log, by why (age, window, session-lost, lock-passed).',
    ['type', 'reason'],
  );
  const overtaken = metrics.counter('worker_overtaken_total', 'Runs that another worker took over meanwhile.', [
    'type',
  ]);
  const resumed = metrics.counter(
    'worker_resumed_total',
    'Records that were handed to this process again while it ran them.',
    ['type'],
  );
  const cancelled = metrics.counter(
    'worker_cancelled_total',
    'Records and runs dropped because their task was cancelled.',
    ['type'],
  );
  const late = metrics.counter('worker_late_results_total', 'Results of handlers that had been given up, dropped.', [
    'type',
  ]);
  const zombies = metrics.counter(
    'worker_zombie_failures_total',
    'Failures not reported because the lock may have passed.',
    ['type'],
  );
  const locksLost = metrics.counter('worker_locks_lost_total', 'Locks that were gone when they were to be renewed.', [
    'type',
  ]);
  const size = metrics.gauge('worker_slots', 'Slots of a type in this process.', ['type']);
  const inUse = metrics.gauge('worker_slots_in_use', 'Slots in which a handler runs.', ['type']);
  const pending = metrics.gauge('worker_outbox_records', 'Events that are not yet on the log.', ['kind']);

  return {
    /** `ownCodes` are the error codes that the type declares; others that it makes up are counted as one. */
    ofType(type: string, ownCodes: readonly string[]): TypeMetrics {
      const known = new Set<string>([...Object.keys(errorCodes), ...ownCodes]);
      // Counted here, and told at each scrape: a counter hashes its labels each time, and this one counts nearly every task.
      let succeeded = 0;
      metrics.onCollect(() => {
        tasks.inc({ type, outcome: 'succeeded' }, succeeded);
        succeeded = 0;
      });
      const seconds = duration.labels({ type });
      const sizes = fetched.labels({ type });
      return {
        fetched: (records) => sizes.observe(records),
        ended(event, durationMs) {
          if (event.event === 'TaskSucceeded') succeeded++;
          else tasks.labels({ type, outcome: known.has(event.error.code) ? event.error.code : 'OTHER' }).inc();
          seconds.observe(durationMs / 1000);
        },
        checked: ({ redelivered, forgotten }) =>
          checked.labels({ type, because: redelivered ? 'redelivered' : forgotten ? 'forgotten' : 'copy' }).inc(),
        decided: (decision) => decided.labels({ type, decision }).inc(),
        claimed: (decision) => claimed.labels({ type, decision }).inc(),
        handedOver: (reason) => handedOver.labels({ type, reason }).inc(),
        overtaken: overtaken.labels({ type }),
        resumed: resumed.labels({ type }),
        cancelled: cancelled.labels({ type }),
        rejected: (reason) => rejected.labels({ type, reason }).inc(),
        late: late.labels({ type }),
        zombies: zombies.labels({ type }),
        locksLost: locksLost.labels({ type }),
      };
    },
    /** Reads gauges whenever metrics are scraped. */
    observe(
      types: readonly { readonly type: string; readonly slots: { readonly size: number; readonly inUse: number } }[],
      outboxes: Readonly<Record<string, { readonly pending: number }>>,
    ): void {
      metrics.onCollect(() => {
        for (const { type, slots } of types) {
          size.labels({ type }).set(slots.size);
          inUse.labels({ type }).set(slots.inUse);
        }
        for (const [kind, outbox] of Object.entries(outboxes)) pending.labels({ kind }).set(outbox.pending);
      });
    },
  };
}
