import type { BlobStore } from '@taskflow/service/blobStore';
import type { Pool } from '@taskflow/service/postgres';
import { type CheckState, OK, type Readiness } from '@taskflow/service/readiness';
import type { Db } from 'mongodb';
import type { TypeCatalogue } from './types.ts';

interface Needs {
  readonly askLog: () => Promise<unknown>;
  readonly types: TypeCatalogue;
  readonly expectTypes: readonly string[];
  readonly pool: Pool;
  readonly mongo: Db;
  readonly blobs: BlobStore;
  readonly redisIsUp: () => boolean;
}

/** Shorter than the time after which a probe counts as failing: a store that hangs makes the api degraded, no more. */
const STORE_LIMIT_MS = 1_500;

/**
 * Only what stands in the way of accepting tasks makes the api not ready: the log, and types that nobody has published.
 * The stores are needed for some answers and are reported.
 */
export function addReadinessChecks(readiness: Readiness, needs: Needs): void {
  readiness.probe('log', async () => {
    await needs.askLog();
    return OK;
  });
  readiness.probe('types', () => typesCheck(needs));
  readiness.probe('postgres', () =>
    degradedWithout(needs.pool.query('select 1'), 'lists, results and idempotency keys'),
  );
  readiness.probe('mongo', () =>
    degradedWithout(
      needs.mongo.command({ ping: 1 }, { signal: AbortSignal.timeout(STORE_LIMIT_MS) }),
      'results and log lines',
    ),
  );
  readiness.probe('blobs', () => degradedWithout(needs.blobs.ask(), 'uploads and large results'));
  readiness.probe('redis', () =>
    needs.redisIsUp() ? OK : { state: 'degraded', reason: 'away: whoever waits for a task hears of it later' },
  );
}

function typesCheck({ types, expectTypes }: Needs): CheckState {
  const missing = expectTypes.filter((name) => types.get(name) === undefined);
  if (missing.length > 0) {
    return { state: 'failing', reason: `no worker has published ${missing.join(', ')} yet` };
  }
  if (types.all().length === 0) return { state: 'failing', reason: 'no worker has published a task type yet' };
  const unusable = types.all().filter(({ check }) => check === undefined);
  if (unusable.length === 0) return OK;
  const names = unusable.map(({ registered }) => registered.type).join(', ');
  return { state: 'degraded', reason: `the payload schema of ${names} cannot be used` };
}

async function degradedWithout(answer: Promise<unknown>, what: string): Promise<CheckState> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${STORE_LIMIT_MS} ms`)), STORE_LIMIT_MS);
  });
  try {
    await Promise.race([answer, late]);
    return OK;
  } catch (error) {
    return { state: 'degraded', reason: `${what} are not available: ${(error as Error).message}` };
  } finally {
    clearTimeout(timer);
  }
}
