/** Several steps together: the last one's number, how many they are, and the mean of each figure. */
export interface SeriesPoint {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

interface Bucket {
  step: number;
  count: number;
  readonly sums: Map<string, { sum: number; count: number }>;
}

/**
 * The figures of a run's steps in bounded memory: at most `limit` means over equally many steps, which are made of two
 * when there are too many of them.
 */
export class StepSeries {
  readonly #limit: number;
  #buckets: Bucket[] = [];
  #stepsPerPoint = 1;

  constructor(limit = 400) {
    this.#limit = limit;
  }

  /** Steps in a point. */
  get stepsPerPoint(): number {
    return this.#stepsPerPoint;
  }

  add(step: number, values: Readonly<Record<string, number>>): void {
    let last = this.#buckets.at(-1);
    if (!last || last.count >= this.#stepsPerPoint) {
      if (this.#buckets.length >= this.#limit) this.#halve();
      last = this.#buckets.at(-1);
      if (!last || last.count >= this.#stepsPerPoint) {
        last = { step, count: 0, sums: new Map() };
        this.#buckets.push(last);
      }
    }
    last.step = step;
    last.count++;
    for (const [name, value] of Object.entries(values)) {
      if (!Number.isFinite(value)) continue;
      const entry = last.sums.get(name);
      if (entry) {
        entry.sum += value;
        entry.count++;
      } else last.sums.set(name, { sum: value, count: 1 });
    }
  }

  points(): SeriesPoint[] {
    return this.#buckets.map(({ step, sums }) => ({
      step,
      values: Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count])),
    }));
  }

  #halve(): void {
    const joined: Bucket[] = [];
    for (let i = 0; i < this.#buckets.length; i += 2) {
      const [first, second] = [this.#buckets[i], this.#buckets[i + 1] as Bucket | undefined];
      if (second) {
        first.step = second.step;
        first.count += second.count;
        for (const [name, { sum, count }] of second.sums) {
          const entry = first.sums.get(name);
          if (entry) {
            entry.sum += sum;
            entry.count += count;
          } else first.sums.set(name, { sum, count });
        }
      }
      joined.push(first);
    }
    this.#buckets = joined;
    this.#stepsPerPoint *= 2;
  }
}

/** The middle of a figure over the points that have it, the upper of two; undefined if none has. */
export function medianOf(points: readonly SeriesPoint[], name: string): number | undefined {
  const values = Float64Array.from(points.flatMap(({ values }) => values[name] ?? []));
  return values.sort()[values.length >> 1];
}
