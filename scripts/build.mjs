// Compiles src/ into dist/ (what the package ships). Incremental: a second run only checks.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function compile(project) {
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  if (!existsSync(compiler)) throw new Error('TypeScript is not installed here: run `npm ci` first.');
  execFileSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit', cwd: root });
}

export const root = fileURLToPath(new URL('..', import.meta.url));

export function build() {
  // tsc's incremental state says "up to date" although its output was removed: forget it then.
  if (!existsSync(new URL('../dist/index.js', import.meta.url))) {
    rmSync(new URL('../build/dist.tsbuildinfo', import.meta.url), { force: true });
  }
  compile('tsconfig.json');
}

export function buildTests() {
  if (!existsSync(new URL('../build/src', import.meta.url))) {
    rmSync(new URL('../build/test.tsbuildinfo', import.meta.url), { force: true });
  }
  compile('test/tsconfig.json');
  const fixtures = new URL('../test/fixtures', import.meta.url);
  if (existsSync(fixtures)) cpSync(fixtures, new URL('../build/test/fixtures', import.meta.url), { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
