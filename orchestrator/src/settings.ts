import { protocolDefaults } from '@taskflow/core/protocolValues';
import { baseSettings, integer, type Settings, statusSettings, text } from '@taskflow/service/settings';

const day = 86_400_000;

/** Everything that the orchestrator reads from its environment. */
export const settings = {
  ...baseSettings,
  ...statusSettings,
  groupPrefix: {
    variable: 'TASKFLOW_GROUP_PREFIX',
    description:
      'What the name of the consumer group begins with. Orchestrators that share one share the work, and write to the same database.',
    default: 'taskflow',
    schema: text,
  },
  maxRecoveries: {
    variable: 'TASKFLOW_MAX_RECOVERIES',
    description: 'How many attempts of a task may be queued because a run was lost, before it ends with `WORKER_LOST`.',
    default: String(protocolDefaults.maxRecoveries),
    schema: integer({ min: 0, max: 1_000 }),
  },
  rememberEndedMs: {
    variable: 'TASKFLOW_REMEMBER_ENDED_MS',
    description:
      'Milliseconds for which a task that had a timer is remembered once it has ended, so that a late event sets none.',
    default: String(protocolDefaults.rememberEndedMs),
    schema: integer({ min: 0, max: 30 * day }),
  },
  watchdogAfterMs: {
    variable: 'TASKFLOW_WATCHDOG_AFTER_MS',
    description:
      'Milliseconds that a task may be without an end, a timer and a record in the queue, before the watchdog queues it again.',
    default: String(protocolDefaults.watchdogAfterMs),
    schema: integer({ min: 1_000, max: day }),
  },
} as const satisfies Settings;
