import { LATENCY_BUCKETS_SECONDS, type Metrics } from '@taskflow/service/metrics';
import type { FlushReport } from '@taskflow/service/transactionalConsumer';

/** What is measured of every projection, under its name. */
export interface ProjectionMetrics {
  flushed(projection: string, flush: FlushReport): void;
  /** `lag`: how many records it has not read yet, asked at each scrape. */
  observeLag(projection: string, lag: () => number): void;
}

export function projectionMetrics(metrics: Metrics): ProjectionMetrics {
  const labels = ['projection'] as const;
  const records = metrics.counter('projection_records_total', 'Records read.', labels);
  const events = metrics.counter('projection_events_total', 'Events folded.', labels);
  const repeats = metrics.counter('projection_repeated_flushes_total', 'Flushes tried again.', labels);
  const seconds = metrics.histogram(
    'projection_flush_seconds',
    'Time from the beginning of a flush to its commit.',
    LATENCY_BUCKETS_SECONDS,
    labels,
  );
  const lag = metrics.gauge('projection_lag_records', 'Records of the assigned partitions not read yet.', labels);
  return {
    flushed(projection, flush) {
      records.inc({ projection }, flush.records);
      events.inc({ projection }, flush.events);
      repeats.inc({ projection }, flush.attempts - 1);
      seconds.observe({ projection }, flush.durationMs / 1_000);
    },
    observeLag(projection, read) {
      metrics.onCollect(() => lag.set({ projection }, read()));
    },
  };
}
