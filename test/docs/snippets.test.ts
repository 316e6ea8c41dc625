// Every TypeScript snippet of the documents compiles against what the package exports.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { documents, root, snippetsOf } from './documents.js';

const options = { skip: existsSync(join(root, 'dist/index.js')) ? false : 'needs dist/: npm run build' };

test('the TypeScript of the documents compiles', options, () => {
  // Inside the package, so that `boxwright` is found by its own name.
  const folder = join(root, 'build/snippets');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const snippets = documents.flatMap(snippetsOf).filter(({ language }) => language === 'ts');
  assert.ok(snippets.length >= 3, 'there are some');
  for (const { file, line, text, needs } of snippets) {
    const name = `${file.replace(/\W/g, '-')}-${line}.ts`;
    writeFileSync(join(folder, name), `${needs}\n${text}\nexport {};\n`);
  }
  // With the settings that readers are told to take.
  const told = snippetsOf('docs/deploy.md').find(
    ({ language, text }) => language === 'json' && /compilerOptions/.test(text),
  );
  assert.ok(told, 'docs/deploy.md shows a tsconfig.json');
  const shown = (JSON.parse(told.text) as { compilerOptions: Record<string, unknown> }).compilerOptions;
  const compilerOptions = { ...shown, noEmit: true, skipLibCheck: true };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
