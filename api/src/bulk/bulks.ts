import { uuidv7 } from '@taskflow/core/ids';
import type { Logger } from '@taskflow/service/logger';
import { isTransient, type Pool } from '@taskflow/service/postgres';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';
import type { TaskReading } from '../views/taskReading.ts';
import { type BulkProgress, type BulkRequest, countMatching, insertBulk, readBulk } from './bulkTable.ts';

interface Needs {
  readonly pool: Pool;
  readonly reading: TaskReading;
  readonly logger: Logger;
  /** Tells the runner of new work. */
  readonly onStarted: () => void;
}

/** How long the view may be behind the log, before an answer would leave tasks out that were submitted before. */
const CATCH_UP_MS = 5_000;

/** Actions on many tasks, as they are asked for. */
export class Bulks {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** How many tasks it would act on now. */
  async count(request: Pick<BulkRequest, 'principal' | 'action' | 'filters'>): Promise<number> {
    await this.#needs.reading.caughtUp(CATCH_UP_MS);
    return countMatching(this.#needs.pool, request).catch(unavailable);
  }

  /** Takes it in: when this resolves it will be done, whatever dies. It acts on what matches now, and on nothing else. */
  async start(request: Omit<BulkRequest, 'id'>): Promise<{ readonly id: string; readonly matched: number }> {
    const { pool, reading, logger, onStarted } = this.#needs;
    await reading.caughtUp(CATCH_UP_MS);
    const id = uuidv7();
    const matched = await insertBulk(pool, { ...request, id }).catch(unavailable);
    const { requestId, action, principal, reason, filters } = request;
    logger.info('A bulk was taken in', {
      bulkId: id,
      requestId,
      action,
      matched,
      actor: principal.userId,
      reason,
      filters,
    });
    onStarted();
    return { id, matched };
  }

  async get(principal: Principal, id: string): Promise<BulkProgress> {
    const progress = await readBulk(this.#needs.pool, principal, id).catch(unavailable);
    if (progress === undefined) throw new Problem('bulk-not-found', `There is no bulk action ${id}.`);
    return progress;
  }
}

function unavailable(error: unknown): never {
  if (!isTransient(error)) throw error;
  throw new Problem('store-unavailable', 'Actions on many tasks are not available at present.', {
    retryAfter: 2,
    cause: error,
  });
}
