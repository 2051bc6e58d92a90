import type { Redis } from 'ioredis';

/** One message after each flush of the view `tasks`: what changed, as it now is. */
export const TASK_CHANGES_CHANNEL = 'taskflow.tasks.changed';

/** Task id, version of its state (`@taskflow/schemas/fold`), status. */
export type TaskChange = readonly [id: string, version: number, status: string];

/** Tells waiters about tasks whose new state the view shows. Never rejects: without Redis they poll. */
export async function publishTaskChanges(redis: Redis, changes: readonly TaskChange[]): Promise<void> {
  if (changes.length === 0 || redis.status !== 'ready') return;
  await redis.publish(TASK_CHANGES_CHANNEL, encodeTaskChanges(changes)).catch(() => {});
}

/**
 * Calls `onFlush` for each message, with a function that reads it: a flush may tell of thousands of tasks, for which mostly
 * nobody waits. `redis` is a connection of its own (a subscribed one takes no other commands); the subscription outlives its
 * reconnects. A message may be missed at any time, so whoever waits also polls.
 */
export function subscribeTaskChanges(
  redis: Redis,
  onFlush: (readChanges: () => readonly TaskChange[]) => void,
): { stop(): void } {
  const subscribe = () => {
    redis.subscribe(TASK_CHANGES_CHANNEL).catch(() => {}); // tried again at the next ready
  };
  const onMessage = (channel: string, message: string) => {
    if (channel === TASK_CHANGES_CHANNEL) onFlush(() => decodeTaskChanges(message));
  };
  redis.on('ready', subscribe);
  redis.on('message', onMessage);
  if (redis.status === 'ready') subscribe();
  return {
    stop() {
      redis.off('ready', subscribe);
      redis.off('message', onMessage);
      redis.unsubscribe(TASK_CHANGES_CHANNEL).catch(() => {});
    },
  };
}

// Ids and statuses need no escaping, and a flush may change thousands of tasks.
function encodeTaskChanges(changes: readonly TaskChange[]): string {
  let message = '[';
  for (const [id, version, status] of changes) {
    message += `${message.length > 1 ? ',' : ''}["${id}",${version},"${status}"]`;
  }
  return `${message}]`;
}

function decodeTaskChanges(message: string): readonly TaskChange[] {
  try {
    return JSON.parse(message) as TaskChange[];
  } catch {
    return []; // not written by this project
  }
}
