import type { Metric, Registry } from 'prom-client';

/** A child of a histogram: what was observed under one set of labels. */
export interface Observed {
  observe(value: number): void;
}

/**
 * A histogram in a registry of prom-client. `labels` gives the child of a set of labels, to be kept: to observe costs it a few
 * comparisons. (prom-client's own checks and hashes the labels at every observation, which is felt at 10,000 tasks a second.)
 */
export class Histogram<L extends string = never> {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #buckets: readonly number[];
  readonly #labelNames: readonly L[];
  readonly #children = new Map<string, Child>();

  /** `buckets` are upper bounds, ascending. */
  constructor(
    registry: Registry,
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly L[] = [],
  ) {
    this.name = name;
    this.help = help;
    this.#buckets = buckets;
    this.#labelNames = labelNames;
    if (labelNames.length === 0) this.labels({} as Record<L, string>);
    registry.registerMetric(this as unknown as Metric);
  }

  labels(values: Readonly<Record<L, string>>): Observed {
    const labels: Record<string, string> = {};
    for (const name of this.#labelNames) labels[name] = values[name];
    const key = JSON.stringify(labels);
    let child = this.#children.get(key);
    if (child === undefined) {
      child = new Child(labels, this.#buckets);
      this.#children.set(key, child);
    }
    return child;
  }

  /** Of a histogram without labels: what is seldom observed may give them here. */
  observe(...args: [L] extends [never] ? [value: number] : [labels: Readonly<Record<L, string>>, value: number]): void {
    const value = args.at(-1) as number;
    this.labels((args.length > 1 ? args[0] : {}) as Readonly<Record<L, string>>).observe(value);
  }

  /** Called by the registry at each scrape. */
  get() {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: [...this.#children.values()].flatMap((child) => child.lines(name)) };
  }
}

class Child implements Observed {
  readonly #labels: Readonly<Record<string, string>>;
  readonly #buckets: readonly number[];
  /** By bucket, and at last what is above all of them. */
  readonly #counts: number[];
  #sum = 0;

  constructor(labels: Readonly<Record<string, string>>, buckets: readonly number[]) {
    this.#labels = labels;
    this.#buckets = buckets;
    this.#counts = new Array<number>(buckets.length + 1).fill(0);
  }

  observe(value: number): void {
    const buckets = this.#buckets;
    let at = 0;
    while (at < buckets.length && value > buckets[at]!) at++;
    this.#counts[at]!++;
    this.#sum += value;
  }

  lines(name: string) {
    const labels = this.#labels;
    let count = 0;
    const lines = this.#counts.map((ofBucket, at) => {
      count += ofBucket;
      return { metricName: `${name}_bucket`, labels: { le: this.#buckets[at] ?? '+Inf', ...labels }, value: count };
    });
    return [
      ...lines,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
