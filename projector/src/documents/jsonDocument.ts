/** JSON as a document store keeps it: as a document, which can be queried, or else as its text. */
export interface StoredJson {
  readonly value: unknown;
  /** Set where `value` (then null) could not be a document: the JSON text instead. */
  readonly json?: string;
}

/** MongoDB takes 100 levels, some of which are ours. */
const DEEPEST = 90;

/**
 * Parses JSON text into what goes into a document. What the stores that speak MongoDB's protocol refuse or change is kept as
 * text: keys that begin with `$` or hold a dot, U+0000, arrays within arrays, deep nesting.
 */
export function storedJson(text: string): StoredJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return asText(text);
  }
  return isStorable(value, 0) ? { value } : asText(text);
}

export function asText(text: string): StoredJson {
  return { value: null, json: text };
}

function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= DEEPEST) return false;
  if (Array.isArray(value)) return value.every((item) => !Array.isArray(item) && isStorable(item, depth + 1));
  return Object.entries(value).every(([key, item]) => isStorableKey(key) && isStorable(item, depth + 1));
}

function isStorableKey(key: string): boolean {
  return !key.startsWith('$') && !key.includes('.') && !key.includes('\0') && key !== '__proto__';
}
