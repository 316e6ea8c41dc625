// npm run fuzz -- [target …] [--cases N] [--seed S] [--case K]: readers of weights against damaged and hostile files.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { casesOf } from './cases.js';
import { fuzz } from './run.js';
import { targetNames } from './targets.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string' },
    keep: { type: 'string' },
  },
});
const seed = Number(values.seed);
const targets: readonly string[] = positionals.length ? positionals : targetNames;

for (const target of targets) {
  const first = Number(values.case ?? 0);
  if (values.keep) writeFileSync(values.keep, (await casesOf(target, seed)).bytes(first));
  const start = performance.now();
  const cases = values.case === undefined ? Number(values.cases) : 1;
  const report = await fuzz({ target, seed, first, cases });
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${target}: ${cases} cases of seed ${seed} in ${seconds.toFixed(1)} s: ${report.read} read, ${report.refused} refused, ` +
      `${report.broken.length} broken; longest ${report.slowest.toFixed(0)} ms, most array memory ${(report.mostMemory / 2 ** 20).toFixed(1)} MiB` +
      (report.notRepeated ? `; ${report.notRepeated} over a limit once, not again when alone` : ''),
  );
  for (const { number, problem } of report.broken) {
    console.log(`\n${target} --seed ${seed} --case ${number}\n${problem}`);
    process.exitCode = 1;
  }
}
