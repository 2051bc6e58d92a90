/** The media type of a `Content-Type` header, in lower case; undefined where there is none that could be one. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  return type !== undefined && /^[^/\s]+\/[^/\s]+$/.test(type) ? type : undefined;
}

const FIRST_TAG =
  /^<(?:!doctype\s+html|html|head|title|body|script|style|meta|link|table|div|h1|p|a|b|br|font|iframe)[\s>]/i;

/** Does text of unknown type begin as a page does? (WHATWG MIME sniffing.) Nothing at all is an empty page. */
export function looksLikeHtml(text: string): boolean {
  let start = text.slice(0, 4096).trimStart();
  // Not within the expression: comments in a loop there could take exponential time.
  for (const [opening, closing] of [
    ['<?xml', '?>'],
    ['<!--', '-->'],
  ] as const) {
    while (start.startsWith(opening) && start.includes(closing)) {
      start = start.slice(start.indexOf(closing) + closing.length).trimStart();
    }
  }
  return start === '' || FIRST_TAG.test(start);
}
