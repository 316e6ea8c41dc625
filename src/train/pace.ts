/** Throughput and time left, from the last steps. */
export class Pace {
  readonly #window: { readonly at: number; readonly waited: number }[] = [];
  readonly #started = performance.now();
  #waited = 0;
  #recent = { stepMs: 0, waiting: 0 };

  /** Milliseconds since the run's first step, and of these the ones spent waiting for pictures. */
  get elapsed(): { total: number; waited: number } {
    return { total: performance.now() - this.#started, waited: this.#waited };
  }

  /** Notes a finished step. */
  step(waitedMs: number): void {
    const at = performance.now();
    this.#waited += waitedMs;
    this.#window.push({ at, waited: this.#waited });
    if (this.#window.length > 21) this.#window.shift();
    const [first] = this.#window;
    if (at > first.at) {
      const span = at - first.at;
      this.#recent = { stepMs: span / (this.#window.length - 1), waiting: (this.#waited - first.waited) / span };
    } else if (this.#recent.stepMs === 0) {
      this.#recent = { stepMs: at - this.#started, waiting: waitedMs / Math.max(at - this.#started, 1) };
    }
  }

  /** Starts the window anew after a pause, such as an evaluation; until the second step the old pace stands. */
  pause(): void {
    this.#window.length = 0;
  }

  /** Milliseconds that a step takes of late, and the part of it spent waiting. */
  get recent(): { readonly stepMs: number; readonly waiting: number } {
    return this.#recent;
  }
}
