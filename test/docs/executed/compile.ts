// The TypeScript of the documents: as it is shown, and as it is executed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, snippetsOf } from '../documents.js';
import type { Step } from './plan.js';

/** Below the package, so that `boxwright` is found by its own name. */
const folder = (name: string) => join(root, 'build/snippets', name);

const fileOf = ({ file, line }: Step) => `${file.replace(/\W/g, '-')}-${line}`;

/** The compiled program of a step. */
export const compiled = (step: Step, set: string): string => join(folder(set), 'out', `${fileOf(step)}.run.js`);

/**
 * Compiles with the settings that readers are told to take.
 *
 * @param set a folder of the caller's own
 * @returns the compiler's complaints, empty if there are none.
 */
export function compileSnippets(steps: readonly Step[], set: string): string {
  rmSync(folder(set), { recursive: true, force: true });
  mkdirSync(folder(set), { recursive: true });
  for (const step of steps) {
    const name = fileOf(step);
    writeFileSync(join(folder(set), `${name}.ts`), `${step.needs}\n${step.shown}\nexport {};\n`);
    writeFileSync(join(folder(set), `${name}.run.ts`), `${step.needs}\n${step.text}\nexport {};\n`);
  }
  const told = snippetsOf('docs/deploy.md').find(
    ({ language, text }) => language === 'json' && /compilerOptions/.test(text),
  );
  if (!told) return 'docs/deploy.md shows no tsconfig.json';
  const { compilerOptions: shown } = JSON.parse(told.text) as { compilerOptions: Record<string, unknown> };
  const compilerOptions = { ...shown, outDir: 'out', skipLibCheck: true };
  writeFileSync(join(folder(set), 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', folder(set)], { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}
