/** Seconds over which the rate is taken: long enough to be calm, short enough to notice a change. */
const span = 5;

/** Bytes a second of a transfer, over its last seconds. */
export class TransferRate {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** @param bytes in all so far; @param at seconds. */
  add(bytes: number, at: number): void {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && this.#samples[1].at < at - span) this.#samples.shift();
  }

  get bytesPerSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at <= first.at) return 0;
    return (last.bytes - first.bytes) / (last.at - first.at);
  }
}
