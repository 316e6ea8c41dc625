/**
 * `boxwright/report`: the pages of runs, written from their folders: `report.html` again, and two runs side by side.
 *
 * @packageDocumentation
 */
export { type CompareRunsOptions, compareRuns } from './compare/compare-runs.js';
export type { Comparison, Pair } from './compare/comparison.js';
export { writeReport } from './run/run-reporter.js';
