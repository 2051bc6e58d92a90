/** What the demo knows of the terminal: colours and redrawing where there is one, plain lines where there is none. */
export interface Terminal {
  readonly isLive: boolean;
  print(text?: string): void;
  /** Replaces the block that was drawn last. Prints nothing where lines cannot be replaced. */
  draw(lines: readonly string[]): void;
  /** Leaves the block as it is. */
  keep(): void;
  readonly width: number;
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';
const CODES: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  green: '32',
  red: '31',
  yellow: '33',
  cyan: '36',
};

const isLive = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
const coloured = isLive && !process.env.NO_COLOR;

export function styled(style: Style, text: string): string {
  return coloured ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}

let drawn = 0;

export const terminal: Terminal = {
  isLive,
  get width() {
    return Math.max(60, process.stdout.columns ?? 120);
  },
  print: (text = '') => void process.stdout.write(`${text}\n`),
  draw(lines) {
    if (!isLive) return;
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    process.stdout.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[J`);
    drawn = lines.length;
  },
  keep() {
    drawn = 0;
  },
};

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u;
const cells = (character: string) => (wide.test(character) ? 2 : 1);

/** Cuts or fills a text to so many columns. Control characters of pages stay out of the terminal. */
export function column(text: string, width: number): string {
  let line = '';
  let used = 0;
  for (const character of text.replace(/\p{Cc}/gu, ' ')) {
    if (used + cells(character) > width - 1) {
      line += '…';
      used++;
      break;
    }
    line += character;
    used += cells(character);
  }
  return line + ' '.repeat(Math.max(0, width - used));
}
