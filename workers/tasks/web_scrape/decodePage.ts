import { TextDecoder } from '@exodus/bytes/encoding.js';
import sniffEncoding from 'html-encoding-sniffer';

export interface DecodedPage {
  text: string;
  /** Name of the encoding, in lower case: `utf-8`, `windows-1251`, … */
  charset: string;
}

/**
 * Bytes to text as browsers do it (WHATWG HTML, "determining the character encoding"): a byte order mark, else the charset
 * of the header, else what a `<meta>` within the first 4 KiB says. Where nothing says anything: UTF-8 if it is valid
 * UTF-8, else windows-1252.
 */
export function decodePage(bytes: Buffer, headerCharset: string | undefined): DecodedPage {
  const undeclared = 'x-user-defined'; // a name that no real page has
  const sniffed = sniffEncoding(bytes, {
    ...(headerCharset === undefined ? {} : { transportLayerEncodingLabel: headerCharset }),
    defaultEncoding: undeclared,
    maxPrescanBytes: 4096,
  });
  if (sniffed === undeclared) {
    const text = decode(bytes, 'utf-8', true);
    if (text !== undefined) return { text, charset: 'utf-8' };
    return { text: decode(bytes, 'windows-1252') ?? '', charset: 'windows-1252' };
  }
  const text = decode(bytes, sniffed);
  if (text !== undefined) return { text, charset: sniffed.toLowerCase() };
  return { text: decode(bytes, 'utf-8') ?? '', charset: 'utf-8' };
}

/** The charset parameter of a content type. */
export function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))/i
    .exec(contentType ?? '')
    ?.slice(1)
    .find((label) => label !== undefined);
}

function decode(bytes: Buffer, encoding: string, fatal = false): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal }).decode(bytes);
  } catch {
    return undefined;
  }
}
