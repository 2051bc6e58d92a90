import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Histogram } from './histogram.ts';

/** The metrics of a process. Names of its own get the prefix `taskflow_`; the process's and Node.js's keep their usual names. */
export interface Metrics {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** `buckets` in the unit that the name ends with, ascending. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ): Histogram<L>;
  /** Calls `collect` at each scrape, before values are read. */
  onCollect(collect: () => void): void;
  /** The text that Prometheus scrapes, and its content type. */
  render(): Promise<{ contentType: string; body: string }>;
}

/** Seconds, from a fraction of a millisecond to ten seconds. */
export const LATENCY_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
] as const;

export function createMetrics(options: { readonly defaults?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.defaults !== false) collectDefaultMetrics({ register: registry });
  const collectors: (() => void)[] = [];
  const named = <L extends string>(name: string, help: string, labels: readonly L[] = []) => ({
    name: `taskflow_${name}`,
    help,
    labelNames: labels,
    registers: [registry],
  });
  return {
    counter: (name, help, labels) => new Counter(named(name, help, labels)),
    gauge: (name, help, labels) => new Gauge(named(name, help, labels)),
    histogram: (name, help, buckets, labels) => new Histogram(registry, `taskflow_${name}`, help, buckets, labels),
    onCollect(collect) {
      collectors.push(collect);
    },
    async render() {
      for (const collect of collectors) collect();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
