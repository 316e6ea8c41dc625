// What a browser loads with boxwright/browser: followed through the files that ship, import by import.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { root } from '../docs/documents.js';

const entry = join(root, 'dist/browser/index.js');
const options = { skip: existsSync(entry) ? false : 'needs dist/: npm run build' };

interface Reached {
  /** Below dist/, in the order in which they are found. */
  readonly files: readonly string[];
  /** Names of packages and of Node's modules. */
  readonly packages: readonly string[];
}

/** Everything that a file imports, by `import`, `export … from` and `import()`, and what these import. */
function reachedFrom(file: string): Reached {
  const files = [file];
  const packages = new Set<string>();
  for (const at of files) {
    const found = readFileSync(at, 'utf8').matchAll(/(?:\bfrom\s*|\bimport\s*|\bimport\(\s*)(['"])([^'"]+)\1/g);
    for (const [, , name] of found) {
      const target = resolve(dirname(at), name);
      if (!name.startsWith('.')) packages.add(name);
      else if (!files.includes(target)) files.push(target);
    }
  }
  return { files: files.map((path) => relative(join(root, 'dist'), path)), packages: [...packages].sort() };
}

test('nothing but onnxruntime-web is within reach of the browser entry', options, () => {
  const { files, packages } = reachedFrom(entry);
  assert.deepEqual(packages, ['onnxruntime-web/wasm', 'onnxruntime-web/webgpu']);
  // Nor what builds or trains models, which a page need not carry.
  const folders = new Set(files.map((path) => path.split(/[\\/]/)[0]).filter((name) => !name.endsWith('.js')));
  assert.deepEqual([...folders].sort(), ['browser', 'predict', 'weights']);
  for (const file of files)
    assert.doesNotMatch(readFileSync(join(root, 'dist', file), 'utf8'), /\b(?:process|Buffer|require)\b[.(]/);
});

test('imports are found, so that the test above can fail', options, () => {
  const { files, packages } = reachedFrom(join(root, 'dist/index.js'));
  for (const name of ['node:worker_threads', 'sharp', 'onnxruntime-node']) assert.ok(packages.includes(name), name);
  assert.ok(files.includes('predict/detector.js'));
});

test('the package gives browsers their entry, under its own name too', options, () => {
  const { exports, peerDependenciesMeta } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const expected = { types: './dist/browser/index.d.ts', default: './dist/browser/index.js' };
  assert.deepEqual(exports['./browser'], expected);
  assert.deepEqual(exports['.'].browser, expected);
  assert.equal(Object.keys(exports['.'])[0], 'browser', 'conditions are tried in their order');
  for (const path of Object.values(expected)) assert.ok(existsSync(join(root, path)), path);
  assert.equal(peerDependenciesMeta['onnxruntime-web'].optional, true);
});
