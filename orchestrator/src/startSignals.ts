import type { Registry } from '@taskflow/log/registry';
import { followControl } from '@taskflow/service/controlTopic';
import type { OrchestratorMetrics } from './metrics.ts';
import { repeatedly } from './repeatedly.ts';
import { SpentSignals, type SpentSignalsOptions } from './signals/spentSignals.ts';

export interface SignalPorts extends Omit<SpentSignalsOptions, 'codec' | 'onRemoved'> {
  readonly registry: Registry;
  readonly metrics: Pick<OrchestratorMetrics, 'signalsRemoved' | 'observeSignals'>;
  /** Called when it cannot go on in this process. */
  readonly onFatal: (error: Error) => void;
  readonly intervalMs?: number;
}

const defaultIntervalMs = 10_000;

/** Follows the signals of cancelled tasks, and removes those that are spent. */
export async function startSignals(ports: SignalPorts): Promise<{ stop(): Promise<void> }> {
  const { cluster, registry, logger, metrics, onFatal, intervalMs = defaultIntervalMs } = ports;
  const stopping = new AbortController();
  const signals = new SpentSignals({
    ...ports,
    codec: registry.codec,
    onRemoved: (count) => metrics.signalsRemoved(count),
  });
  await followControl({
    cluster,
    registry,
    logger,
    onEntry: (entry) => signals.apply(entry),
    signal: stopping.signal,
    onFailure: (error) => onFatal(error instanceof Error ? error : new Error(String(error))),
  });
  metrics.observeSignals(() => signals.size);
  const rounds = repeatedly(intervalMs, logger, async () => {
    await signals.round();
  });
  return {
    async stop() {
      stopping.abort();
      await rounds.stop();
    },
  };
}
