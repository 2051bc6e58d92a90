export const MAX_WAIT_SECONDS = 60;

/**
 * The seconds of `Prefer: wait=N` (RFC 7240), at most 60 (more is cut to that); undefined without the preference. What
 * it cannot make sense of it ignores: a preference never makes a request fail.
 */
export function waitPreference(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  for (const preference of header.split(',')) {
    const match = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(;.*)?$/i.exec(preference);
    if (match !== null) return Math.min(Number(match[1]), MAX_WAIT_SECONDS);
  }
  return undefined;
}

/**
 * Whether `Prefer: return=minimal` (RFC 7240, 4.2) asks for an answer without what the client knows already. Of several `return`
 * the first counts.
 */
export function prefersMinimal(header: string | undefined): boolean {
  if (header === undefined) return false;
  for (const preference of header.split(',')) {
    const match = /^\s*return\s*=\s*"?([a-z]+)"?\s*(;.*)?$/i.exec(preference);
    if (match !== null) return match[1]?.toLowerCase() === 'minimal';
  }
  return false;
}
