import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError } from '../../src/errors.js';
import { acquireLock } from '../../src/hub/lock.js';
import { temporaryFolder } from '../temporary-folder.js';

const quick = { beat: 20, patience: 1_000 };

/** The pid of a process that is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid!;
}

test('only one has the lock, the others come after it', async (t) => {
  const path = join(await temporaryFolder(t), 'x.lock');
  let inside = 0;
  let waits = 0;
  const order: number[] = [];
  await Promise.all(
    [1, 2, 3, 4].map(async (id) => {
      await using _ = await acquireLock(path, { ...quick, onWait: () => waits++ });
      assert.equal(++inside, 1);
      await sleep(30);
      order.push(id);
      inside--;
    }),
  );
  assert.equal(order.length, 4);
  assert.equal(waits, 3);
  assert.ok(!existsSync(path));
});

test('a holder that gives signs of life is waited for, however long it takes', async (t) => {
  const path = join(await temporaryFolder(t), 'x.lock');
  const first = await acquireLock(path, quick);
  let second = false;
  const waiting = acquireLock(path, quick).then((lock) => {
    second = true;
    return lock;
  });
  await sleep(3 * quick.patience);
  assert.equal(second, false);
  assert.equal(first.lost.aborted, false);
  await first[Symbol.asyncDispose]();
  await (await waiting)[Symbol.asyncDispose]();
});

test('the lock of a process that is gone is taken at once', async (t) => {
  const path = join(await temporaryFolder(t), 'x.lock');
  await writeFile(path, JSON.stringify({ token: 'dead', host: hostname(), pid: await deadPid() }));
  const began = performance.now();
  await using _ = await acquireLock(path, { beat: 20, patience: 60_000 });
  assert.ok(performance.now() - began < 10_000);
});

for (const [what, text] of [
  ['of another machine', JSON.stringify({ token: 'far', host: 'elsewhere.invalid', pid: 1 })],
  ['that was cut off while it was written', '{"tok'],
  ['of a process of our own number', JSON.stringify({ token: 'before', host: hostname(), pid: process.pid })],
]) {
  test(`a lock ${what} is taken when nothing has touched it for some time, whatever its date`, async (t) => {
    const path = join(await temporaryFolder(t), 'x.lock');
    await writeFile(path, text);
    const future = new Date(Date.now() + 3_600_000);
    await utimes(path, future, future);
    const began = performance.now();
    await using _ = await acquireLock(path, quick);
    assert.ok(performance.now() - began >= quick.patience);
    assert.equal((JSON.parse(await readFile(path, 'utf8')) as { pid: number }).pid, process.pid);
  });
}

test('a link or a folder in the place of a lock is an error at once, where it leads to or not', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'x.lock');
  const places = {
    nowhere: () => symlink(join(folder, 'nothing'), join(folder, 'nowhere')),
    somewhere: () => writeFile(path, '').then(() => symlink(path, join(folder, 'somewhere'))),
    folder: () => mkdir(join(folder, 'folder')),
  };
  for (const [name, make] of Object.entries(places)) {
    await make();
    await assert.rejects(
      acquireLock(join(folder, name), { ...quick, signal: AbortSignal.timeout(5_000) }),
      (error) =>
        error instanceof BoxwrightError && error.code === 'io' && /expected the file of a lock/.test(error.message),
      name,
    );
  }
});

test('several that take a dead lock at once: one has it', async (t) => {
  const path = join(await temporaryFolder(t), 'x.lock');
  await writeFile(path, JSON.stringify({ token: 'dead', host: hostname(), pid: await deadPid() }));
  let inside = 0;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      await using _ = await acquireLock(path, { beat: 200, patience: 60_000 });
      assert.equal(++inside, 1);
      await sleep(20);
      inside--;
    }),
  );
});

test('a holder whose lock was taken learns of it and leaves the new one alone', async (t) => {
  const path = join(await temporaryFolder(t), 'x.lock');
  const lock = await acquireLock(path, quick);
  const other = JSON.stringify({ token: 'other', host: hostname(), pid: process.pid });
  await writeFile(path, other);
  while (!lock.lost.aborted) await sleep(quick.beat);
  await lock[Symbol.asyncDispose]();
  assert.equal(await readFile(path, 'utf8'), other);
});

test('the signal ends the wait', async (t) => {
  const path = join(await temporaryFolder(t), 'x.lock');
  await using _ = await acquireLock(path, quick);
  await assert.rejects(
    acquireLock(path, { ...quick, signal: AbortSignal.timeout(50) }),
    (error) => error instanceof BoxwrightError && error.code === 'aborted',
  );
});
