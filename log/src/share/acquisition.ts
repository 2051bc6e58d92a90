import { type Acquisition, acquireModes } from './messages/shareFetch.ts';

/**
 * How to acquire at most `maxRecords` of a queue whose batches have at most `batchRecords`. Where that is room for a whole batch, whole
 * batches: as many as fit in any case. The broker keeps account of such a batch as of one, where it takes one that was acquired in
 * parts offset by offset; and it sends whole batches, however little of one was acquired.
 */
export function acquisitionOf(maxRecords: number, batchRecords: number | undefined): Acquisition {
  if (batchRecords === undefined || maxRecords < batchRecords) {
    return { mode: acquireModes.recordLimit, maxRecords, batchSize: Math.max(maxRecords, 1) };
  }
  // In this mode the last batch is the one in which the limit lies.
  return { mode: acquireModes.batches, maxRecords: maxRecords - batchRecords + 1, batchSize: batchRecords };
}
