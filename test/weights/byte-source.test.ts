import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { withFile } from '../../src/weights/file-source.js';
import { temporaryFolder } from '../temporary-folder.js';

const content = Buffer.alloc(6_000_001);
for (let i = 0; i < content.length; i++) content[i] = (i * 2654435761) >>> 16;

const folder = await temporaryFolder({ after });
const path = join(folder, 'file');
await writeFile(path, content);

test('large reads come whole, whatever pieces they are made of', async () => {
  await withFile(path, async (source) => {
    assert.equal(source.size, content.length);
    for (const [position, length] of [
      [0, content.length],
      [12345, 2 ** 22],
      [1, 2 ** 20],
      [content.length, 0],
      [7, 3],
    ]) {
      const read = await source.read(position, length);
      assert.ok(content.subarray(position, position + length).equals(read), `${length} bytes from ${position}`);
    }
  });
});

test('bytes beyond the end', async () => {
  const message = `${path}: truncated: bytes 6000000 to 6000002 are needed, the file has 6000001. Download or copy it again.`;
  await assert.rejects(
    withFile(path, (source) => source.read(6_000_000, 2)),
    { code: 'weights', message },
  );
});

test('a file that shrinks while it is read', async () => {
  await withFile(path, async (source) => {
    await truncate(path, 3_000_000);
    await assert.rejects(source.read(0, 6_000_000), {
      code: 'weights',
      message: /the file ended at byte \d+, expected/,
    });
  });
  await writeFile(path, content);
});

test('mistakes of a reader stay what they are', async () => {
  const mistake = new TypeError('undefined is not a function');
  await assert.rejects(
    withFile(path, () => Promise.reject(mistake)),
    (error) => error === mistake,
  );
});

test('a folder is no file', async () => {
  await assert.rejects(
    withFile(folder, (source) => source.read(0, 1)),
    { code: 'io' },
  );
});
