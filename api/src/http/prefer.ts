export const MAX_WAIT_SECONDS = 60;

/**
 * The seconds of `Prefer: wait=N` (RFC 7240), at most 60 (more is cut to that); undefined without the preference. What
 * it cannot make sense of it ignores: a preference never makes a request fail.
 */
export function waitPreference(header: string | undefined): number | undefined {
  const seconds = firstPreference(header, /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(;.*)?$/i);
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_SECONDS);
}

/**
 * Whether `Prefer: return=minimal` (RFC 7240, 4.2) asks for an answer without what the client knows already. Of several `return`
 * the first counts.
 */
export function prefersMinimal(header: string | undefined): boolean {
  return firstPreference(header, /^\s*return\s*=\s*"?([a-z]+)"?\s*(;.*)?$/i)?.toLowerCase() === 'minimal';
}

/** What the pattern captures first of the first preference that it matches. */
function firstPreference(header: string | undefined, pattern: RegExp): string | undefined {
  for (const preference of header?.split(',') ?? []) {
    const match = pattern.exec(preference);
    if (match !== null) return match[1];
  }
  return undefined;
}
