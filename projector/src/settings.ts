import { baseSettings, integer, type Settings, statusSettings } from '@taskflow/service/settings';

/** Everything that the projector reads from its environment. */
export const settings = {
  ...baseSettings,
  ...statusSettings,
  sweepIntervalMs: {
    variable: 'TASKFLOW_SWEEP_INTERVAL_MS',
    description:
      'Milliseconds between two sweeps of the Mongo views, which remove what has expired and results of ends that did not count.',
    default: '3600000',
    schema: integer({ min: 1_000, max: 86_400_000 }),
  },
} as const satisfies Settings;
