/**
 * The name of a blob: `<day>/<userId>/<id>`, for example
 * `2026-12-03/00000000-0000-4000-8000-000000000001/0198c5a1-7c2e-7d3f-9b1a-2f6c8e4d5a70`. It says all that must be known
 * before anyone asks the store: the day (UTC) at whose beginning the blob expires, so that a whole day is swept by its
 * prefix, and who owns it, so that a task never reads what is another user's.
 * go-workers/internal/blobs/ref.go names blobs likewise.
 */
export interface BlobName {
  readonly expiresAt: number;
  readonly userId: string;
  readonly id: string;
}

const DAY_MS = 86_400_000;

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** What a reference looks like, for the schemas of payloads. */
export const blobRefPattern = new RegExp(`^[0-9]{4}-[0-9]{2}-[0-9]{2}/${uuid}/${uuid}$`);

export function blobRef({ expiresAt, userId, id }: BlobName): string {
  return `${dayOf(expiresAt)}/${userId}/${id}`;
}

/** What a reference says; undefined where it is none. */
export function parseBlobRef(ref: string): BlobName | undefined {
  if (!blobRefPattern.test(ref)) return undefined;
  const [day = '', userId = '', id = ''] = ref.split('/');
  const expiresAt = startOfDay(day);
  return expiresAt === undefined ? undefined : { expiresAt, userId, id };
}

/** When a blob expires that is kept for so many days: at the first midnight after them. */
export function blobExpiry(now: number, keepDays: number): number {
  return Math.ceil((now + keepDays * DAY_MS) / DAY_MS) * DAY_MS;
}

/** The moment at which a day (`2026-12-03`) begins; undefined where there is no such day. */
export function startOfDay(day: string): number | undefined {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) || dayOf(at) !== day ? undefined : at;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
