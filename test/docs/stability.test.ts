import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, textOf } from './documents.js';

const document = textOf('docs/stability.md');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The first cells of a section's first table, without their quotes. */
function firstCells(heading: string): string[] {
  const [, section] = document.split(`\n## ${heading}\n`);
  assert.ok(section, `there is no section ${heading}`);
  const [, rows] = /^\|-.*\n((?:\|.*\n)+)/m.exec(section)!;
  return rows
    .trimEnd()
    .split('\n')
    .map((row) => row.split('|')[1].trim().replaceAll('`', ''));
}

test('the document has every error code, in the order of src/errors.ts', () => {
  const [union] = /type ErrorCode =[^;]*;/.exec(read('src/errors.ts'))!;
  const codes = Array.from(union.matchAll(/'(\w+)'/g), ([, code]) => code);
  assert.ok(codes.length > 10);
  assert.deepEqual(firstCells('Errors'), codes);
});

test('the document has every entry point of the package', () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
  const entries = Object.keys(exports).filter((name) => name !== './package.json');
  assert.deepEqual(
    firstCells('What is public'),
    entries.map((name) => `boxwright${name.slice(1)}`),
  );
});

test('the document has every exit code', () => {
  const codes = Array.from(read('src/cli/main.ts').matchAll(/^const \w+ = (\d+);/gm), ([, code]) => code);
  assert.ok(codes.length >= 4);
  assert.deepEqual(firstCells('Exit codes'), ['0', ...codes]);
});
