import type { S3Client } from '@aws-sdk/client-s3';
import { startOfDay } from './blobRef.ts';

export interface SweptBlobs {
  /** Blobs that had expired. */
  readonly expired: number;
  /** Uploads that were begun and never finished: their sender was killed. */
  readonly abandoned: number;
}

/** So long after the end of its time a blob may still be on its way to someone. */
const GRACE_MS = 3_600_000;
/** No upload takes so long. */
const ABANDONED_MS = 86_400_000;

/**
 * Removes the blobs of days that are over, day by day: one listing tells the days, so a sweep that has nothing to do is one request.
 * What does not lie under a day is not ours, and stays.
 */
export async function sweepBlobs(client: S3Client, Bucket: string, now: number): Promise<SweptBlobs> {
  const { paginateListObjectsV2, DeleteObjectsCommand } = await import('@aws-sdk/client-s3');
  const over: string[] = [];
  for await (const { CommonPrefixes = [] } of paginateListObjectsV2({ client }, { Bucket, Delimiter: '/' })) {
    for (const { Prefix = '' } of CommonPrefixes) {
      const expiresAt = startOfDay(Prefix.slice(0, -1));
      if (expiresAt !== undefined && expiresAt + GRACE_MS <= now) over.push(Prefix);
    }
  }
  let expired = 0;
  for (const Prefix of over) {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
      const Objects = Contents.map(({ Key = '' }) => ({ Key }));
      if (Objects.length === 0) continue;
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
      if (Errors.length > 0) throw new Error(`${Errors.length} blobs were not deleted: ${Errors[0]?.Message}`);
      expired += Objects.length;
    }
  }
  return { expired, abandoned: await abortAbandoned(client, Bucket, now) };
}

async function abortAbandoned(client: S3Client, Bucket: string, now: number): Promise<number> {
  const { ListMultipartUploadsCommand, AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  // The first thousand: what is left comes with the next sweep.
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  let abandoned = 0;
  for (const { Key, UploadId, Initiated } of Uploads) {
    if (Initiated === undefined || Initiated.getTime() + ABANDONED_MS > now) continue;
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    abandoned++;
  }
  return abandoned;
}
