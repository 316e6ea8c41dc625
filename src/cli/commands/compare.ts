import type { Comparison, Pair } from '../../report/compare/comparison.js';
import { command, UsageError } from '../command.js';
import { outlines } from '../outlines.js';
import type { Terminal } from '../terminal.js';

export const compareCommand = command({
  ...outlines.compare,
  positionals: {
    first: { type: 'string', demandOption: true, describe: 'Run folder' },
    second: { type: 'string', demandOption: true, describe: 'Run folder to compare with it' },
  },
  options: {
    out: { type: 'string', describe: 'Write a page with the curves over each other, such as compare.html' },
    force: { type: 'boolean', default: false, describe: 'Replace --out if it exists' },
    json: { type: 'boolean', default: false, describe: 'Print the comparison as JSON, and nothing else' },
  },
  rules: [{ options: ['force'], needs: ['out'], because: 'nothing else is written' }],
  examples: [
    ['compare runs/cells runs/cells-2', 'what differs, and what came of it'],
    ['compare runs/cells runs/cells-2 --out compare.html', 'with curves'],
  ],
  async run({ first, second, out, force, json }, { terminal }) {
    const { resolve } = await import('node:path');
    if (resolve(first) === resolve(second)) throw new UsageError(`${first} is given twice: give two runs.`);
    const { requireTarget } = await import('../free-target.js');
    if (out) requireTarget(out, force);
    const { compareRuns } = await import('../../report/compare/compare-runs.js');
    const comparison = await compareRuns(first, second, { page: out });
    if (json) await terminal.printJson({ ...comparison, ...(out ? { written: { out: { path: out } } } : {}) });
    else await printComparison(comparison, terminal);
    if (out) terminal.note(`Wrote ${out}`);
    return 0;
  },
});

async function printComparison({ runs, settings, metrics, perClass }: Comparison, terminal: Terminal): Promise<void> {
  const { percent, signed } = await import('../../report/page/fractions.js');
  const names = runs.map(({ name }) => name);
  const pair = ({ name, values, difference }: Pair) => [
    name,
    ...values.map((value) => percent(value)),
    signed(difference),
  ];
  const best = runs.map(({ bestEpoch }) => (bestEpoch === null ? 'not evaluated' : `epoch ${bestEpoch}`));
  const tables = [
    settings.length > 0
      ? [['setting', ...names], ...settings.map(({ name, values }) => [name, ...values.map((value) => value ?? '–')])]
      : [['all settings are equal']],
    [['best, percent', ...names, 'difference'], ['', ...best, ''], ...metrics.map(pair)],
    [['AP by class', ...names, 'difference'], ...perClass.map(pair)],
  ];
  for (const [i, rows] of tables.entries()) {
    if (i > 0) await terminal.print('');
    for (const line of aligned(rows, terminal)) await terminal.print(line);
  }
}

/** Columns of equal width, the first row dimmed as a head. */
function aligned(rows: readonly (readonly string[])[], terminal: Terminal): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [terminal.style('dim', lines[0]), ...lines.slice(1)];
}
