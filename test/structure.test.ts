import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { version } from '../src/version.js';

/** This file runs as build/test/structure.test.js. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'src');

/** Each folder may import from those before it, and from files directly in src/ that import nothing themselves. */
const order = [
  'graph',
  'lowering',
  'engine',
  'nn',
  'boxes',
  'models',
  'weights',
  'hub',
  'data',
  'evaluate',
  'report',
  'train', // which judges itself and writes its report as it goes
  'predict',
  'export',
  'browser', // runs what export wrote; nothing of Node is within its reach (test/browser/imports.test.ts)
  'cli',
];

const rank = (folder: string) => order.indexOf(folder);

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const folderOf = (name: string) => (name.includes(sep) ? name.split(sep)[0] : '');

/** Relative imports and re-exports of a file, static, dynamic and of types, as paths below src/. */
function importsOf(name: string): string[] {
  const text = readFileSync(join(source, name), 'utf8');
  const found = text.matchAll(/(?:from\s+|import\s+|import\(\s*)'(\.[^']+)'/g);
  return Array.from(found, ([, path]) => relative(source, resolve(source, name, '..', path)).replace(/\.js$/, '.ts'));
}

test('every folder of src has its place in the order of imports', () => {
  const folders = new Set(files.map(folderOf).filter((folder) => folder !== ''));
  assert.deepEqual(
    [...folders].filter((folder) => !order.includes(folder)),
    [],
  );
});

test('imports go one way', () => {
  const wrong: string[] = [];
  for (const name of files) {
    const from = folderOf(name);
    if (from === '') continue; // index.ts gathers from everywhere; the rest is checked below
    for (const path of importsOf(name)) {
      const to = folderOf(path);
      const allowed = to === '' ? path !== 'index.ts' : to === from || rank(to) < rank(from);
      if (!allowed) wrong.push(`${name} imports ${path}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('files directly in src stand for themselves', () => {
  const loose = files.filter((name) => folderOf(name) === '' && name !== 'index.ts');
  assert.deepEqual(loose.flatMap(importsOf), []);
});

test('imports are found, so that the tests above can fail', () => {
  assert.ok(importsOf(join('predict', 'detector.ts')).includes(join('engine', 'engine.ts')));
  assert.ok(importsOf(join('cli', 'commands', 'eval.ts')).includes(join('predict', 'detector.ts')), 'dynamic ones too');
});

test('the version is that of package.json', () => {
  const { version: packaged } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(version, packaged);
});

test('docs/features.md names tests that are there', () => {
  const text = readFileSync(join(root, 'docs/features.md'), 'utf8');
  const named = Array.from(text.matchAll(/`(test\/[^`]+)`/g), ([, path]) => path);
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(root, path))),
    [],
  );
});

test('temporary folders of tests are made where they are removed', () => {
  const tests = join(root, 'test');
  const makers = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && /mkdtemp(Sync)?\(join\(tmpdir\(\)/.test(readFileSync(join(tests, name), 'utf8')),
  );
  assert.deepEqual(makers, ['temporary-folder.ts']);
});
