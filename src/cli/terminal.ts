import { once } from 'node:events';

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

const codes: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
};

/** Colours are for terminals, unless NO_COLOR (no-color.org) or a terminal without them says otherwise. */
function hasColours(stream: NodeJS.WriteStream): boolean {
  return Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Results go to stdout, everything else to stderr, so that stdout can be piped. */
export class Terminal {
  #progress = false;

  /** A line of results. Waits while the reader is slower than we are. */
  async print(line: string): Promise<void> {
    this.#clear();
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  }

  /** A line for people, beside the results. */
  note(line: string): void {
    this.#clear();
    process.stderr.write(`${line}\n`);
  }

  warn(line: string): void {
    this.note(`${this.onStderr('yellow', 'warning:')} ${line}`);
  }

  /** A line that the next one replaces; nothing unless a person is watching. */
  progress(line: string): void {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    this.#progress = true;
  }

  /** `text` in a style if results are read on a terminal. */
  style(style: Style, text: string): string {
    return hasColours(process.stdout) ? styled(style, text) : text;
  }

  onStderr(style: Style, text: string): string {
    return hasColours(process.stderr) ? styled(style, text) : text;
  }

  #clear(): void {
    if (this.#progress) process.stderr.write('\r\u001b[K');
    this.#progress = false;
  }
}

function styled(style: Style, text: string): string {
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
