import { randomInt } from 'node:crypto';

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

const codes: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
};

/** What is written to; a terminal knows its width. */
type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Colours are for terminals, unless NO_COLOR (no-color.org) or a terminal without them says otherwise. */
function hasColours(stream: Stream): boolean {
  return Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Nobody reads stdout any more, and there is nothing else to work for. */
export class ReaderGone extends Error {}

/**
 * Results go to stdout, everything else to stderr, so that stdout can be piped. Where either is closed early
 * (`boxwright … | head -1`), what would be printed is dropped and the work goes on: files are written as ever.
 *
 * Names come from data that anyone may have made. In text for people, characters that would steer a terminal or reverse
 * what is read are therefore shown as escapes.
 */
export class Terminal {
  /** Keeps notes and progress back; results, warnings and errors stay. */
  quiet = false;
  readonly #stdout: Stream;
  readonly #stderr: Stream;
  #progress = false;
  #readerGone = false;

  constructor({ stdout, stderr }: { readonly stdout: Stream; readonly stderr: Stream } = process) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    // Writing to stdout tells of errors itself, and of stderr's there is nobody to tell.
    for (const stream of [stdout, stderr]) stream.on('error', () => {});
  }

  /**
   * A line of results for people.
   *
   * @throws BoxwrightError `io` if stdout is a file that cannot be written.
   */
  async print(line: string): Promise<void> {
    await this.#write(coloured(legible(line, everyControl)));
  }

  /**
   * A line of results for programs.
   *
   * @throws BoxwrightError `io` if stdout is a file that cannot be written.
   */
  async printJson(value: unknown): Promise<void> {
    await this.#write(JSON.stringify(value));
  }

  /** @throws ReaderGone if stdout is closed; for work of which only printing is left. */
  requireReader(): void {
    if (this.#readerGone) throw new ReaderGone();
  }

  /** A line for people, or several, beside the results. */
  note(line: string): void {
    if (!this.quiet) this.#tell(line);
  }

  warn(line: string): void {
    this.#tell(`${this.onStderr('yellow', 'warning:')} ${line}`);
  }

  error(line: string): void {
    this.#tell(`${this.onStderr('red', 'error:')} ${line}`);
  }

  /** The same for programs, behind everything else: a line of JSON, of schemas/error.json. */
  errorJson(code: string, message: string): void {
    this.#tell(JSON.stringify({ error: { code, message } }));
  }

  /**
   * A line that the next one replaces; nothing unless a person is watching.
   *
   * @param share of the work that is done, 0 to 1, for a bar before the line
   */
  progress(line: string, share?: number): void {
    if (!this.#stderr.isTTY || this.quiet) return;
    const text = legible(share === undefined ? line : `${bar(share)} ${line}`, everyControl);
    this.#stderr.write(`\r\u001b[K${text.slice(0, (this.#stderr.columns ?? 80) - 1)}`);
    this.#progress = true;
  }

  /** `text` in a style if results are read on a terminal; to be printed by `print`. */
  style(style: Style, text: string): string {
    return hasColours(this.#stdout) ? styled(style, text) : text;
  }

  /** The same for `note`. */
  onStderr(style: Style, text: string): string {
    return hasColours(this.#stderr) ? styled(style, text) : text;
  }

  #tell(line: string): void {
    this.#clear();
    this.#stderr.write(`${coloured(legible(line, everyControlButLineFeed))}\n`);
  }

  #clear(): void {
    if (this.#progress) this.#stderr.write('\r\u001b[K');
    this.#progress = false;
  }

  /** Waits while the reader is slower than we are. */
  async #write(line: string): Promise<void> {
    this.#clear();
    if (this.#readerGone) return;
    const error = await new Promise<Error | null | undefined>((resolve) => this.#stdout.write(`${line}\n`, resolve));
    if (!error) return;
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') {
      const { writeError } = await import('../weights/atomic-file.js');
      throw writeError('stdout', error);
    }
    this.#readerGone = true;
  }
}

const barWidth = 16;

function bar(share: number): string {
  const done = Math.round(barWidth * Math.min(1, Math.max(0, share)));
  return '█'.repeat(done) + '░'.repeat(barWidth - done);
}

/** Stands for the start of an escape sequence of ours: characters without a meaning, which no data can know. */
const mark = Array.from({ length: 3 }, () => String.fromCharCode(randomInt(0xe000, 0xf900))).join('');

function styled(style: Style, text: string): string {
  const [on, off] = codes[style];
  return `${mark}${on}m${text}${mark}${off}m`;
}

function coloured(text: string): string {
  return text.replaceAll(mark, '\u001b[');
}

/** Control characters, separators of lines and paragraphs, and what overrides or isolates a direction of writing. */
const everyControl = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
const everyControlButLineFeed = /(?!\n)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** `text` with what would steer a terminal as `\u001b`, as JSON writes it. */
function legible(text: string, controls: RegExp): string {
  return text.replace(controls, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
