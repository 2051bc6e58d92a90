/**
 * JSON text of a value that every store takes: PostgreSQL refuses NUL in texts, and no UTF-8 holds half a surrogate pair;
 * both become U+FFFD, in keys as well. `undefined` is null.
 */
export function cleanJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  // Well-formed stringify escapes lone halves, so one look at the escapes tells whether there is anything to do.
  return /\\u(?:0000|d[89a-f])/.test(text) ? JSON.stringify(cleaned(JSON.parse(text))) : text;
}

/** The same for a text by itself. */
export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), cleaned(inner)]));
}

/** How deep JSON text nests: `[]` and `{}` are 1, a bare value 0. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // a string: to its closing quote
        for (at++; text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > deepest) deepest = depth;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
  }
  return deepest;
}
