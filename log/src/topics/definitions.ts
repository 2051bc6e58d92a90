import {
  auditTopic,
  controlTopic,
  eventsTopic,
  logsTopic,
  PRIORITIES,
  poisonTopic,
  queueTopic,
  schedulesTopic,
  typesTopic,
  workflowsTopic,
} from '@taskflow/schemas/topics';

/** A topic as it shall be. */
export interface TopicDefinition {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** How safe what is acknowledged is: acks=all waits for at least `minInsyncReplicas` of `replicationFactor` copies. */
export interface Durability {
  /** Default 1, for the one broker of the embedded stack. 3 elsewhere. */
  readonly replicationFactor?: number | undefined;
  /** Default 1. With three replicas 2: one broker may be away. */
  readonly minInsyncReplicas?: number | undefined;
}

export interface TypeTopicSettings extends Durability {
  /** Order is kept within a partition; all of a task's events are in one. Default 3. */
  readonly eventsPartitions?: number | undefined;
  /** One lets every worker of the type see all its work; more where a broker's throughput is the limit. Default 1. */
  readonly queuePartitions?: number | undefined;
  /** Default −1: for ever. Shorter where an archive takes over. */
  readonly retentionMs?: number | undefined;
}

const forever = '-1';
const sevenDays = String(7 * 24 * 60 * 60 * 1_000);

/** Queue and events topics of a task type, for all priorities. */
export function typeTopics(type: string, settings: TypeTopicSettings = {}): TopicDefinition[] {
  const { eventsPartitions = 3, queuePartitions = 1, retentionMs } = settings;
  const retention = retentionMs === undefined ? forever : String(retentionMs);
  return PRIORITIES.flatMap((priority) => [
    define(queueTopic(type, priority), queuePartitions, settings, kept(retention)),
    define(eventsTopic(type, priority), eventsPartitions, settings, kept(retention)),
  ]);
}

/** The topics that do not belong to a task type. */
export function systemTopics(
  settings: Durability & { readonly logsPartitions?: number | undefined } = {},
): TopicDefinition[] {
  return [
    define(controlTopic, 1, settings, compacted),
    define(typesTopic, 1, settings, compacted),
    define(workflowsTopic, 1, settings, kept(forever)),
    define(schedulesTopic, 1, settings, kept(forever)),
    define(auditTopic, 1, settings, kept(forever)),
    define(logsTopic, settings.logsPartitions ?? 3, settings, kept(sevenDays)),
    define(poisonTopic, 1, settings, kept(sevenDays)),
  ];
}

function kept(retentionMs: string): Readonly<Record<string, string>> {
  return { 'cleanup.policy': 'delete', 'retention.ms': retentionMs };
}

/** Read from the beginning by every process that starts, so it is compacted early, in segments of an hour at most. */
const compacted = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.1',
  'segment.ms': String(60 * 60 * 1_000),
};

function define(
  name: string,
  partitions: number,
  { replicationFactor = 1, minInsyncReplicas = 1 }: Durability,
  config: Readonly<Record<string, string>>,
): TopicDefinition {
  return {
    name,
    partitions,
    replicationFactor,
    config: {
      ...config,
      // The broker's clock for all: retries, expiry and positions by time are judged by it.
      'message.timestamp.type': 'LogAppendTime',
      'min.insync.replicas': String(minInsyncReplicas),
    },
  };
}
