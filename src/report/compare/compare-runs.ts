import { writeFileAtomically } from '../../weights/atomic-file.js';
import { readRun } from '../run/run-files.js';
import { comparePage } from './compare-page.js';
import { type Comparison, comparisonOf } from './comparison.js';

/** How two runs are compared. */
export interface CompareRunsOptions {
  /** A page to write, or to write anew, with the curves over each other: the path of an HTML file. */
  readonly page?: string;
}

/**
 * Compares two run folders: settings that differ, figures and classes of the best evaluations. What `boxwright compare`
 * does.
 *
 * @throws BoxwrightError `io` for a folder without a run, and for what the disk refuses.
 */
export async function compareRuns(
  first: string,
  second: string,
  { page }: CompareRunsOptions = {},
): Promise<Comparison> {
  const [a, b] = await Promise.all([readRun(first), readRun(second)]);
  // Folders of one name are told apart by their paths.
  const names = a.name === b.name ? [first, second] : [a.name, b.name];
  const runs = [
    { ...a, name: names[0] },
    { ...b, name: names[1] },
  ] as const;
  const comparison = comparisonOf(...runs);
  if (page !== undefined) await writeFileAtomically(page, comparePage(runs, comparison));
  return comparison;
}
