import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
}

interface RequestQueueClass {
  readonly prototype: { scheduleCheckPendingRequests(this: RequestQueue): void };
}

let quiet = false;

/**
 * kafkajs 2.2.4 (pinned) looks every millisecond, on each connection that was ever answered, whether a request waits to
 * be sent (its #1704; `TimeoutNegativeWarning` on Node 24 comes from there): about 1 % of a core each. Here it looks only
 * while one does.
 */
export function quietRequestQueues(): void {
  if (quiet) return;
  quiet = true;
  const { prototype } = createRequire(import.meta.url)(
    'kafkajs/src/network/requestQueue/index.js',
  ) as RequestQueueClass;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhilePending() {
    if (this.pending.length > 0) schedule.call(this);
  };
}
