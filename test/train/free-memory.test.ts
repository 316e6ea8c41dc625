import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { test } from 'node:test';
import { availableMemory, cachedIn, type SystemMemory } from '../../src/train/free-memory.js';

const gibi = 2 ** 30;
const system = (more: Partial<SystemMemory>): SystemMemory => {
  const own = gibi / 4;
  return { platform: 'linux', total: 16 * gibi, free: 8 * gibi, limit: 0, left: 8 * gibi, cached: 0, own, ...more };
};
const available = (more: Partial<SystemMemory>) => availableMemory(system(more)) / gibi;

test('what is free, and what the process has already', () => {
  assert.equal(available({}), 8.25);
  assert.equal(available({ limit: 16 * gibi }), 8.25, 'a limit that is none');
});

test('in a container its limit counts, less what is used of it, and files that it would give up do not', () => {
  const limit = 4 * gibi;
  assert.equal(available({ limit, left: 3 * gibi }), 3.25);
  assert.equal(available({ limit, left: gibi / 2, cached: 2 * gibi }), 2.75);
  assert.equal(available({ limit, left: 3 * gibi, free: gibi }), 1.25, 'the machine has less than the limit');
});

test('macOS has half of its memory to give, even if little is called free', () => {
  assert.equal(available({ platform: 'darwin', free: gibi / 8 }), 8.25);
  assert.equal(available({ platform: 'darwin', free: 12 * gibi }), 12.25);
});

test('files in the memory of control groups, version 1 and 2', () => {
  assert.equal(cachedIn('anon 100\ninactive_file 20\nactive_file 3\nslab 5\n'), 23);
  const first = 'cache 1\nactive_file 1\ninactive_file 1\ntotal_inactive_file 40\ntotal_active_file 2\n';
  assert.equal(cachedIn(first), 42);
  assert.equal(cachedIn(''), 0);
});

test('this machine has some', () => {
  const bytes = availableMemory();
  assert.ok(bytes > process.memoryUsage.rss() && bytes < 2 * totalmem(), `${bytes}`);
});
