import { LATENCY_BUCKETS_SECONDS, type Metrics } from '@taskflow/service/metrics';
import type { FlushReport } from '@taskflow/service/transactionalConsumer';
import type { FiredTimer } from './timers/fireTimers.ts';

export type OrchestratorMetrics = ReturnType<typeof orchestratorMetrics>;

/** What is measured of the orchestrator. */
export function orchestratorMetrics(metrics: Metrics) {
  const records = metrics.counter('orchestrator_records_total', 'Records read.');
  const events = metrics.counter('orchestrator_events_total', 'Events that could concern a timer.');
  const flushSeconds = metrics.histogram(
    'orchestrator_flush_seconds',
    'Time from the beginning of a flush to its commit.',
    LATENCY_BUCKETS_SECONDS,
  );
  const fired = metrics.counter('timers_fired_total', 'Timers fired, by kind: run, retry, lease.', ['kind']);
  const late = metrics.histogram(
    'timer_lateness_seconds',
    'How long after its due time a timer was fired.',
    LATENCY_BUCKETS_SECONDS,
  );
  const lost = metrics.counter('tasks_worker_lost_total', 'Tasks ended because their runs were lost time after time.');
  const sent = metrics.counter(
    'outbox_events_total',
    'Events of the outbox that are on the log: sent at once, sent again, or found there after a crash (was-there).',
    ['how'],
  );
  const forgotten = metrics.counter(
    'watchdog_recovered_total',
    'Tasks that nobody had any more, queued again by the watchdog. Zero in a healthy system.',
  );
  const removed = metrics.counter(
    'cancel_signals_removed_total',
    'Signals of cancelled tasks that were removed from taskflow.control, as no worker can meet the task any more.',
  );
  const signals = metrics.gauge('cancel_signals', 'Signals of cancelled tasks on taskflow.control.');
  const lag = metrics.gauge('orchestrator_lag_records', 'Records of the assigned partitions not read yet.');
  const open = metrics.gauge(
    'timers_open_tasks',
    'Tasks with a timer row that have not ended, of the partitions read here.',
  );
  return {
    flushed(flush: FlushReport): void {
      records.inc(flush.records);
      events.inc(flush.events);
      flushSeconds.observe(flush.durationMs / 1_000);
    },
    fired(timers: readonly FiredTimer[]): void {
      for (const { before, fired: it, lateMs } of timers) {
        fired.inc({ kind: before.timer!.kind });
        late.observe(Math.max(0, lateMs) / 1_000);
        if (it.event.event === 'TaskFailed') lost.inc();
      }
    },
    sent(rows: number, how: string): void {
      sent.inc({ how }, rows);
    },
    recovered(tasks: number): void {
      forgotten.inc(tasks);
    },
    signalsRemoved(count: number): void {
      removed.inc(count);
    },
    observeSignals(read: () => number): void {
      metrics.onCollect(() => signals.set(read()));
    },
    observe(read: () => { readonly lag: number; readonly openTasks: number }): void {
      metrics.onCollect(() => {
        const now = read();
        lag.set(now.lag);
        open.set(now.openTasks);
      });
    },
  };
}
