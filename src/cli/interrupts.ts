import type { Terminal } from './terminal.js';

/** Milliseconds after which somebody may think that Ctrl-C was not heard. */
const patience = 1_000;
/** Milliseconds in which a signal is the same one again: npm, npx and timeout pass on what a terminal has sent to all. */
const echo = 500;

/**
 * What Ctrl-C and SIGTERM do: the first one asks for an end in good order, by `signal`; the second one ends the process at
 * once, whatever its threads are in the middle of.
 */
export class Interrupts implements Disposable {
  readonly #abort = new AbortController();
  readonly #terminal: Terminal;
  #hint: NodeJS.Timeout | undefined;
  #first = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    process.on('SIGINT', this.#stop).on('SIGTERM', this.#stop);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#hint);
    process.off('SIGINT', this.#stop).off('SIGTERM', this.#stop);
  }

  readonly #stop = (signal: NodeJS.Signals): void => {
    if (this.#abort.signal.aborted) {
      if (performance.now() - this.#first < echo) return;
      this[Symbol.dispose]();
      // `process.exit` would wait for threads, and one that loads a network does not listen. Without a listener the signal kills.
      process.kill(process.pid, signal);
      return;
    }
    this.#first = performance.now();
    this.#abort.abort();
    const hint = () => this.#terminal.note('Stopping when what is under way is done; Ctrl-C again ends at once.');
    this.#hint = setTimeout(hint, patience).unref();
  };
}
