import { PRIORITIES, shareGroup } from '@taskflow/schemas/topics';
import type { Cluster } from '../cluster.ts';
import { type ConfigValues, readConfigs, resourceType, setConfigs } from '../configs.ts';

export interface ShareGroupSettings {
  /** How long a record is locked for the worker that has it, unless renewed. Default 15 s. */
  readonly lockMs?: number | undefined;
  /** Acquisitions after which a record is archived without a word. Default 10, the most that a default broker takes. */
  readonly deliveryLimit?: number | undefined;
  /** How far a partition may move on beyond its oldest locked record. Default 10,000. */
  readonly maxLocks?: number | undefined;
}

/** Which settings of the broker bound a setting of a group. */
const limits: Readonly<Record<string, { readonly min: string; readonly max: string }>> = {
  'share.record.lock.duration.ms': {
    min: 'group.share.min.record.lock.duration.ms',
    max: 'group.share.max.record.lock.duration.ms',
  },
  'share.delivery.count.limit': {
    min: 'group.share.min.delivery.count.limit',
    max: 'group.share.max.delivery.count.limit',
  },
  'share.partition.max.record.locks': {
    min: 'group.share.min.partition.max.record.locks',
    max: 'group.share.max.partition.max.record.locks',
  },
  'share.assignment.interval.ms': {
    min: 'group.share.min.assignment.interval.ms',
    max: 'group.share.max.assignment.interval.ms',
  },
};

/**
 * Configures the share groups of a type (KIP-932), for all priorities. A value outside of what the broker allows is moved to
 * its limit, and logged; a setting that the broker does not know (an older one) is left out.
 */
export async function configureShareGroups(
  cluster: Cluster,
  type: string,
  settings: ShareGroupSettings,
): Promise<void> {
  const { lockMs = 15_000, deliveryLimit = 10, maxLocks = 10_000 } = settings;
  const groups = PRIORITIES.map((priority) => shareGroup(type, priority));
  const values = await withinLimits(cluster, groups[0]!, {
    // A group that begins at the end would not see what was queued before its first worker came.
    'share.auto.offset.reset': 'earliest',
    'share.record.lock.duration.ms': String(lockMs),
    'share.delivery.count.limit': String(deliveryLimit),
    'share.partition.max.record.locks': String(maxLocks),
    // A worker that joins gets its partitions with its next heartbeat, not a second later (the default).
    'share.assignment.interval.ms': '0',
  });
  await setConfigs(cluster, resourceType.group, new Map(groups.map((group) => [group, values])));
}

async function withinLimits(cluster: Cluster, group: string, wanted: ConfigValues): Promise<ConfigValues> {
  const broker = String(cluster.brokerIds[0]);
  const [known, allowed] = await Promise.all([
    readConfigs(cluster, resourceType.group, [group]).then((configs) => configs.get(group)),
    readConfigs(cluster, resourceType.broker, [broker]).then((configs) => configs.get(broker)),
  ]);
  const values: Record<string, string> = {};
  for (const [key, value] of Object.entries(wanted)) {
    if (!known?.has(key)) continue;
    const limit = limits[key];
    const bounded = limit ? bound(value, allowed?.get(limit.min), allowed?.get(limit.max)) : value;
    if (bounded !== value) {
      cluster.logger.warn(`the broker does not allow ${key}=${value}, so it is ${bounded}`, { group });
    }
    values[key] = bounded;
  }
  return values;
}

function bound(value: string, min: string | null | undefined, max: string | null | undefined): string {
  const atLeast = min ? Math.max(Number(value), Number(min)) : Number(value);
  return String(max ? Math.min(atLeast, Number(max)) : atLeast);
}
