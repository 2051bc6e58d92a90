import { baseSettings, blobSettings, integer, type Settings, statusSettings, text } from '@taskflow/service/settings';

/** Everything that the projector reads from its environment. */
export const settings = {
  ...baseSettings,
  ...blobSettings,
  ...statusSettings,
  groupPrefix: {
    variable: 'TASKFLOW_GROUP_PREFIX',
    description:
      'What the names of the consumer groups begin with. Projectors that share one write to the same database; for views in another database set another.',
    default: 'taskflow',
    schema: text,
  },
  sweepIntervalMs: {
    variable: 'TASKFLOW_SWEEP_INTERVAL_MS',
    description:
      'Milliseconds between two sweeps of the Mongo views, which remove what has expired and results of ends that did not count, and of the blob store, which remove what has expired.',
    default: '3600000',
    schema: integer({ min: 1_000, max: 86_400_000 }),
  },
} as const satisfies Settings;
