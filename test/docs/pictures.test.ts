import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './documents.js';

test('the pictures of docs/metrics.md are what their script draws of figures as they are now', () => {
  assert.doesNotThrow(() => execFileSync(process.execPath, [join(root, 'scripts/metric-pictures.mjs'), '--check']));
});

test('the pictures of docs/how-it-works.md are what their script draws of graphs as they are now', () => {
  assert.doesNotThrow(() => execFileSync(process.execPath, [join(root, 'scripts/graph-pictures.mjs'), '--check']));
});
