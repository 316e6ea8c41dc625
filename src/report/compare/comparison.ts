import type { StoredRun } from '../run/run-files.js';
import { settingRows } from '../run/run-settings.js';

/** Two values and the second minus the first; null where a run has none. */
export interface Pair {
  readonly name: string;
  readonly values: readonly [first: number | null, second: number | null];
  readonly difference: number | null;
}

/** What differs between two runs, as `boxwright compare --json` prints it. Figures are fractions. */
export interface Comparison {
  readonly runs: readonly {
    readonly name: string;
    /** Epoch of the best evaluation, from which the figures are; null if there was none. */
    readonly bestEpoch: number | null;
    readonly steps: number;
    readonly seconds: number | null;
  }[];
  /** Settings of different values; null where a run has none of that name. */
  readonly settings: readonly { readonly name: string; readonly values: readonly (string | null)[] }[];
  readonly metrics: readonly Pair[];
  /** AP of each class, and its AP50. */
  readonly perClass: readonly (Pair & { readonly AP50: Pair })[];
}

/** Compares the best evaluations and the settings of two runs. */
export function comparisonOf(first: StoredRun, second: StoredRun): Comparison {
  const both = [first, second] as const;
  const best = both.map(({ record }) => record.best);
  const metrics = union(best.map((evaluation) => Object.keys(evaluation?.metrics ?? {})));
  const classes = union(best.map((evaluation) => (evaluation?.perClass ?? []).map(({ name }) => name)));
  const settings = both.map(({ config }) => new Map(settingRows(config)));
  return {
    runs: both.map(({ name, record }) => ({
      name,
      bestEpoch: record.best?.epoch ?? null,
      steps: record.step?.step ?? 0,
      seconds: record.end?.seconds ?? null,
    })),
    settings: union(settings.map((own) => [...own.keys()]))
      .map((name) => ({ name, values: settings.map((own) => own.get(name) ?? null) }))
      .filter(({ values: [a, b] }) => a !== b),
    metrics: metrics.map((name) => pair(name, best[0]?.metrics[name], best[1]?.metrics[name])),
    perClass: classes.map((name) => {
      const [a, b] = best.map((evaluation) => evaluation?.perClass.find((own) => own.name === name));
      return { ...pair(name, a?.AP, b?.AP), AP50: pair(name, a?.AP50, b?.AP50) };
    }),
  };
}

function pair(name: string, first: number | undefined, second: number | undefined): Pair {
  const known = (value: number | undefined) => (value === undefined || value < 0 ? null : value);
  const [a, b] = [known(first), known(second)];
  return { name, values: [a, b], difference: a === null || b === null ? null : b - a };
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}
