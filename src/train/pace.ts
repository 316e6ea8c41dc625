/** Throughput and time left, from the last steps. */
export class Pace {
  readonly #window: { readonly at: number; readonly waited: number }[] = [];
  #waited = 0;
  #started = performance.now();

  /** Milliseconds since the run's first step, and of these the ones spent waiting for pictures. */
  get elapsed(): { total: number; waited: number } {
    return { total: performance.now() - this.#started, waited: this.#waited };
  }

  /** Notes a finished step. */
  step(waitedMs: number): void {
    this.#waited += waitedMs;
    this.#window.push({ at: performance.now(), waited: this.#waited });
    if (this.#window.length > 21) this.#window.shift();
  }

  /** Starts the window anew after a pause, such as an evaluation. */
  pause(): void {
    this.#window.length = 0;
  }

  /** Milliseconds a step takes, and the part of it spent waiting; from the start where there is no other step yet. */
  get recent(): { stepMs: number; waiting: number } {
    const [first] = this.#window;
    const last = this.#window.at(-1);
    if (!last) return { stepMs: 0, waiting: 0 };
    if (first === last)
      return { stepMs: last.at - this.#started, waiting: last.waited / Math.max(last.at - this.#started, 1) };
    const span = last.at - first.at;
    return { stepMs: span / (this.#window.length - 1), waiting: (last.waited - first.waited) / span };
  }
}
