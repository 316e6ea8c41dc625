// Runs the compiled tests with node:test. `--full` adds the slow ones (*.full.test.ts, and the further cases of tests that
// ask for `full` of test/shared.ts); other words filter file names.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../build/test/', import.meta.url));
const full = process.argv.includes('--full');
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const files = readdirSync(folder, { recursive: true })
  .filter((file) => file.endsWith('.test.js') && (full || !file.endsWith('.full.test.js')))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${words.join(', ') || 'anything'}.`);
  process.exit(1);
}
const options = ['--test', '--test-reporter=spec', '--test-concurrency=2', '--enable-source-maps'];
const run = spawnSync(process.execPath, [...options, ...files.map((file) => folder + file)], {
  stdio: 'inherit',
  env: { ...process.env, BOXWRIGHT_FULL_TESTS: full ? '1' : '' },
});
process.exit(run.status ?? 1);
