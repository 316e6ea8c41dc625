import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { writeError, writeFileAtomically } from '../../src/weights/atomic-file.js';
import { temporaryFolder } from '../temporary-folder.js';

const all = await temporaryFolder({ after });
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(all, 'test-'));
  path = join(folder, 'state.json');
});

describe('writing a file atomically', () => {
  test('replaces the file by the pieces in order and leaves nothing else', async () => {
    await writeFileAtomically(path, 'before');
    await writeFileAtomically(path, ['grüße', Uint8Array.of(33), '', '!']);
    assert.equal(await readFile(path, 'utf8'), 'grüße!!');
    assert.deepEqual(await readdir(folder), ['state.json']);
  });

  test('writes many small pieces by few calls, in their order among bytes', async (t) => {
    const file = await open(path, 'w');
    const write = t.mock.method(Object.getPrototypeOf(file), 'write');
    await file.close();
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`);
    await writeFileAtomically(path, [...lines, Uint8Array.of(33), ...lines]);
    assert.equal(await readFile(path, 'utf8'), `${lines.join('')}!${lines.join('')}`);
    assert.ok(write.mock.callCount() < 20, `${write.mock.callCount()} calls`);
  });

  test('keeps the previous file when the pieces fail half-way', async () => {
    await writeFile(path, 'before');
    function* pieces() {
      yield 'half';
      throw new Error('no more');
    }
    await assert.rejects(writeFileAtomically(path, pieces()), { name: 'Error', message: 'no more' });
    assert.equal(await readFile(path, 'utf8'), 'before');
    assert.deepEqual(await readdir(folder), ['state.json']);
  });

  // A limit on the size of files stops a write half-way like a full disk, without needing one.
  test('keeps the previous file when the disk takes no more', {
    skip: process.platform === 'win32' && 'needs ulimit',
  }, async () => {
    await writeFile(path, 'before');
    const module = new URL('../../src/weights/atomic-file.js', import.meta.url).href;
    const script = `
      const { writeFileAtomically } = await import(${JSON.stringify(module)});
      await writeFileAtomically(${JSON.stringify(path)}, [Buffer.alloc(1000), Buffer.alloc(9_000_000)]).catch((error) => {
        console.log(error.code, error.message);
      });`;
    const command = 'ulimit -f 1024 && exec "$0" --input-type=module -e "$1"';
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, script], { encoding: 'utf8' });
    assert.match(
      stdout,
      /^io cannot write .*state\.json: the file would be larger than this system allows.*\(EFBIG\)/,
      stderr,
    );
    assert.equal(await readFile(path, 'utf8'), 'before');
    assert.deepEqual(await readdir(folder), ['state.json']);
  });

  test('says what to do where the folder is missing or the path cannot be a file', async () => {
    const absent = join(folder, 'runs', 'state.json');
    await assert.rejects(writeFileAtomically(absent, ''), {
      code: 'io',
      message: `cannot write ${absent}: its folder does not exist: create it first (ENOENT)`,
    });
    await mkdir(path);
    await assert.rejects(writeFileAtomically(path, ''), { code: 'io', message: /there is a folder of that name/ });
    assert.deepEqual(await readdir(folder), ['state.json']);
  });

  test('explains a full disk and a lack of permission', () => {
    const error = (code: string) => (writeError('a.json', Object.assign(new Error('x'), { code })) as Error).message;
    assert.match(error('ENOSPC'), /^cannot write a\.json: the disk is full: free some space/);
    assert.match(error('EACCES'), /permission denied: make the folder writable/);
  });
});
