// Compiles src/ into dist/ (what the package ships). Incremental: a second run only checks.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function compile(project) {
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  if (!existsSync(compiler)) throw new Error('TypeScript is not installed here: run `npm ci` first.');
  execFileSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit', cwd: root });
}

export const root = fileURLToPath(new URL('..', import.meta.url));

export function build() {
  prepare('dist', 'src', 'build/dist.tsbuildinfo', 'build/browser.tsbuildinfo');
  compile('tsconfig.json');
  compile('tsconfig.browser.json'); // apart, since its code knows a page's types and none of Node's
}

export function buildTests() {
  for (const folder of ['src', 'test', 'bench', 'fuzz']) prepare(`build/${folder}`, folder, 'build/test.tsbuildinfo');
  compile('test/tsconfig.json');
}

/** tsc neither removes what it made of files that are gone, nor makes again what was removed: its state says "up to date". */
function prepare(output, source, ...states) {
  removeStale(join(root, output), join(root, source));
  if (isComplete(join(root, output), join(root, source))) return;
  for (const state of states) rmSync(join(root, state), { force: true });
}

const compiled = /\.(js|js\.map|d\.ts|d\.ts\.map)$/;

/** Removes files of `output` that were compiled from a file which is no longer below `source`; they would be packed and tested. */
export function removeStale(output, source) {
  for (const name of filesIn(output)) {
    if (compiled.test(name) && !existsSync(join(source, name.replace(compiled, '.ts')))) rmSync(join(output, name));
  }
}

function isComplete(output, source) {
  const sources = filesIn(source).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  return sources.every((name) => existsSync(join(output, name.replace(/\.ts$/, '.js'))));
}

/** Paths below a folder; none if it is not there. */
function filesIn(folder) {
  return existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
