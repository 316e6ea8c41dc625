import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { picturePaths } from '../../src/cli/picture-paths.js';
import { temporaryFolder } from '../temporary-folder.js';

test('names below a pattern begin at the folder that all its pictures share', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'deeper'));
  for (const name of ['a.png', join('deeper', 'b.png'), '..c.png']) await writeFile(join(folder, name), '');
  const names = async (pattern: string) => (await picturePaths([pattern])).map(({ name }) => name);
  assert.deepEqual(await names(join(folder, '**', '*.png')), ['a.png', join('deeper', 'b.png')]);
  assert.deepEqual(await names(join(folder, 'deeper', '*.png')), ['b.png']);
  assert.deepEqual(await names(join(folder, '..*.png')), ['..c.png'], 'two dots in front are part of a name');
});
