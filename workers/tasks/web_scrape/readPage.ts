import { TaskError } from '@taskflow/workers/taskError';
import { type DefaultTreeAdapterMap, defaultTreeAdapter, html, parse, type TreeAdapter } from 'parse5';

type Node = DefaultTreeAdapterMap['node'];
type Element = DefaultTreeAdapterMap['element'];

export interface PageFacts {
  title: string | null;
  language: string | null;
  description: string | null;
  canonical: string | null;
  openGraph: Record<string, string>;
  headings: { level: number; text: string }[];
  linkCount: number;
}

/** What a page may add to a result, in UTF-8 bytes, so that the result stays well below 64 KiB. */
const LIMITS = {
  title: 1_500,
  description: 6_000,
  language: 100,
  url: 4_000,
  openGraphValue: 2_000,
  openGraph: 14_000,
  heading: 600,
  headings: 24_000,
};

/**
 * A parser's tree can be far larger than its page (unclosed formatting elements are copied into every block), and building
 * it can take time that grows with the square of its size. Beyond these no page is worth a worker.
 */
const MAX_NODES = 1_000_000;
const MAX_PARSE_MS = 5_000;

/** Parses a page by the HTML standard and picks out what a result says of it. Pure but for the limit of processor time. */
export function readPage(text: string, url: string): PageFacts {
  const document = parse(text, {
    scriptingEnabled: false,
    sourceCodeLocationInfo: false,
    treeAdapter: boundedAdapter(),
  });
  const facts = new FactCollector(url);
  for (const element of elementsOf(document)) facts.see(element);
  return facts.result();
}

function boundedAdapter(): TreeAdapter<DefaultTreeAdapterMap> {
  const spent = process.threadCpuUsage();
  let nodes = 0;
  const count = () => {
    nodes++;
    if (nodes > MAX_NODES || (nodes % 256 === 0 && process.threadCpuUsage(spent).user > MAX_PARSE_MS * 1_000)) {
      throw new TaskError('PAGE_TOO_COMPLEX', `The page is too complex to parse: ${nodes} nodes and more`, {
        retryable: false,
      });
    }
  };
  return {
    ...defaultTreeAdapter,
    createElement(...parameters) {
      count();
      return defaultTreeAdapter.createElement(...parameters);
    },
    insertText(...parameters) {
      count();
      defaultTreeAdapter.insertText(...parameters);
    },
  };
}

/** All elements in document order, with a stack of its own: pages nest deeper than the call stack reaches. */
function* elementsOf(root: Node): Generator<Element> {
  const stack: Node[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if ('tagName' in node) yield node;
    if ('childNodes' in node) for (let i = node.childNodes.length - 1; i >= 0; i--) stack.push(node.childNodes[i]!);
  }
}

/** Text below an element, without that of scripts and styles, as far as `limit` characters of it matter. */
function textOf(root: Element, limit: number): string {
  let text = '';
  const stack: Node[] = [root];
  for (let node = stack.pop(); node !== undefined && text.length < limit * 4; node = stack.pop()) {
    if ('value' in node) text += node.value;
    else if ('childNodes' in node && !('tagName' in node && (node.tagName === 'script' || node.tagName === 'style'))) {
      for (let i = node.childNodes.length - 1; i >= 0; i--) stack.push(node.childNodes[i]!);
    }
  }
  return text;
}

class FactCollector {
  private title: string | undefined;
  private language: string | undefined;
  private description: string | undefined;
  private canonicalHref: string | undefined;
  private baseHref: string | undefined;
  private readonly openGraph = new Map<string, string>();
  private openGraphBytes = 0;
  private readonly headings: { level: number; text: string }[] = [];
  private headingBytes = 0;
  private linkCount = 0;
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  see(element: Element): void {
    if (element.namespaceURI !== html.NS.HTML) return;
    switch (element.tagName) {
      case 'html':
        this.language ??= attribute(element, 'lang') ?? attribute(element, 'xml:lang');
        return;
      case 'title':
        this.title ??= clean(textOf(element, LIMITS.title), LIMITS.title);
        return;
      case 'base':
        this.baseHref ??= attribute(element, 'href');
        return;
      case 'link': {
        const rel = attribute(element, 'rel')?.toLowerCase().split(/\s+/) ?? [];
        if (rel.includes('canonical')) this.canonicalHref ??= attribute(element, 'href');
        return;
      }
      case 'meta':
        this.meta(element);
        return;
      case 'a':
        if (attribute(element, 'href') !== undefined) this.linkCount++;
        return;
      case 'h1':
      case 'h2':
      case 'h3':
      case 'h4':
      case 'h5':
      case 'h6':
        this.heading(element);
        return;
    }
  }

  result(): PageFacts {
    const language = this.language === undefined ? '' : clean(this.language, LIMITS.language);
    return {
      title: this.title || null,
      language: language || null,
      description: this.description || null,
      canonical: this.canonical(),
      openGraph: Object.fromEntries(this.openGraph),
      headings: this.headings,
      linkCount: this.linkCount,
    };
  }

  private meta(element: Element): void {
    const content = attribute(element, 'content');
    if (content === undefined) return;
    const name = (attribute(element, 'property') ?? attribute(element, 'name') ?? '').trim().toLowerCase();
    if (name === 'description') this.description ??= clean(content, LIMITS.description);
    else if (attribute(element, 'http-equiv')?.toLowerCase() === 'content-language') this.language ??= content;
    else if (/^og:[a-z][a-z0-9:_-]{0,60}$/.test(name)) {
      const key = name.slice(3);
      const value = clean(content, LIMITS.openGraphValue);
      const size = Buffer.byteLength(key) + Buffer.byteLength(value);
      if (this.openGraph.has(key) || this.openGraphBytes + size > LIMITS.openGraph) return;
      this.openGraphBytes += size;
      this.openGraph.set(key, value);
    }
  }

  private heading(element: Element): void {
    if (this.headingBytes >= LIMITS.headings) return;
    const text = clean(textOf(element, LIMITS.heading), LIMITS.heading);
    if (text === '') return;
    this.headingBytes += Buffer.byteLength(text) + 24;
    if (this.headingBytes < LIMITS.headings) this.headings.push({ level: Number(element.tagName[1]), text });
  }

  private canonical(): string | null {
    if (this.canonicalHref === undefined) return null;
    const base = absolute(this.baseHref ?? '', this.url) ?? this.url;
    const canonical = absolute(this.canonicalHref, base);
    return canonical !== undefined && /^https?:/.test(canonical) && canonical.length <= LIMITS.url ? canonical : null;
  }
}

function absolute(href: string, base: string): string | undefined {
  try {
    const url = new URL(href.trim(), base);
    url.username = '';
    url.password = '';
    return url.href;
  } catch {
    return undefined;
  }
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => (attr.prefix ? `${attr.prefix}:${attr.name}` : attr.name) === name)?.value;
}

/** One line without control characters, cut at `maxBytes` of UTF-8 between characters. */
function clean(text: string, maxBytes: number): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  if (Buffer.byteLength(line) <= maxBytes) return line;
  const cut = Buffer.from(line)
    .subarray(0, maxBytes - 3)
    .toString();
  return `${cut.replace(/\ufffd$/, '')}…`;
}
