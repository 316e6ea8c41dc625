import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { writeFiles } from '../data/folders.js';
import { temporaryFolder } from '../temporary-folder.js';

/** This file runs as build/test/scripts/build.test.js. */
const script = new URL('../../../scripts/build.mjs', import.meta.url).href;

test('what was compiled from a file that is gone is removed, and nothing else', async (t) => {
  const { removeStale } = (await import(script)) as { removeStale(output: string, source: string): void };
  const root = await temporaryFolder(t);
  const outputs = ['.js', '.js.map', '.d.ts', '.d.ts.map'];
  const made = ['kept', 'gone', 'deeper/kept', 'deeper/moved'].flatMap((name) =>
    outputs.map((end) => `out/${name}${end}`),
  );
  const files = [...made, 'out/model.onnx', 'in/kept.ts', 'in/deeper/kept.ts', 'in/moved.ts'];
  await writeFiles(root, Object.fromEntries(files.map((name) => [name, ''])));
  removeStale(`${root}/out`, `${root}/in`);
  const left = (await readdir(`${root}/out`, { recursive: true })).filter((name) => name.includes('.'));
  const expected = [...outputs.map((end) => `kept${end}`), ...outputs.map((end) => `deeper/kept${end}`), 'model.onnx'];
  assert.deepEqual(left.sort(), expected.sort());
  removeStale(`${root}/nowhere`, `${root}/in`);
});
