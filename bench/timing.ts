/** Milliseconds of each repeat. */
export interface Timing {
  readonly best: number;
  readonly median: number;
}

export interface Variant {
  readonly name: string;
  run(): Promise<void>;
}

export function timingOf(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  return { best: sorted[0], median: sorted[sorted.length >> 1] };
}

/** Runs variants in turns after one warm-up each, so that what disturbs the machine disturbs all of them alike. */
export async function interleaved(variants: readonly Variant[], repeats: number): Promise<Map<string, Timing>> {
  const times = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (const { run } of variants) await run();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const { name, run } of variants) {
      const start = performance.now();
      await run();
      times.get(name)!.push(performance.now() - start);
    }
  }
  return new Map([...times].map(([name, own]) => [name, timingOf(own)]));
}

/** A Markdown table with aligned columns. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export const milliseconds = (value: number) => value.toFixed(value < 10 ? 2 : 0);
export const ratio = (value: number) => value.toFixed(2);
