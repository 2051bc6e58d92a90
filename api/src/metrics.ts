import type { Histogram } from '@taskflow/service/histogram';
import { LATENCY_BUCKETS_SECONDS, type Metrics } from '@taskflow/service/metrics';
import type { Counter } from 'prom-client';

export interface ApiMetrics {
  readonly requestSeconds: Histogram<'method' | 'route' | 'status'>;
  readonly tasksAccepted: Counter<'type' | 'priority'>;
  readonly commands: Counter<'command' | 'outcome'>;
  readonly bulkTasks: Counter<'action' | 'outcome'>;
  render(): Promise<{ contentType: string; body: string }>;
}

export function apiMetrics(metrics: Metrics): ApiMetrics {
  return {
    requestSeconds: metrics.histogram(
      'http_request_seconds',
      'Time from the head of a request to its answer, by pattern of the address',
      LATENCY_BUCKETS_SECONDS,
      ['method', 'route', 'status'],
    ),
    tasksAccepted: metrics.counter('tasks_accepted_total', 'Tasks whose event the log has acknowledged', [
      'type',
      'priority',
    ]),
    commands: metrics.counter('commands_total', 'Commands on tasks and types, by what came of them', [
      'command',
      'outcome',
    ]),
    bulkTasks: metrics.counter('bulk_tasks_total', 'Tasks that bulks have dealt with, by what came of them', [
      'action',
      'outcome',
    ]),
    render: () => metrics.render(),
  };
}
