// What takes minutes and is looked at by run-cli.ts: every line fits its schema.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { linesOf } from '../schemas.js';
import { temporaryFolder } from '../temporary-folder.js';
import { withShapes } from '../train/runs.js';
import { runCli } from './run-cli.js';

test('demo --json: events, and at the end the paths of what there is and what the exported file finds', async (t) => {
  const out = join(await temporaryFolder(t), 'demo');
  const { code, stdout, stderr } = await runCli('demo', '--epochs', '1', '--json', '--out', out);
  assert.equal(code, 0, stderr);
  const lines = linesOf(stdout, 'demo') as Record<string, unknown>[];
  const kinds = new Set(lines.map(({ kind }) => kind));
  for (const kind of ['pictures', 'start', 'step', 'evaluation', 'checkpoint', 'end', 'drawings', 'demo'])
    assert.ok(kinds.has(kind), kind);
  const { data, run, drawings, model } = lines.at(-1)!;
  for (const path of [data, run, drawings, model]) assert.ok(existsSync(`${path}`), `${path}`);
});

test('train --find-lr --json: a line a step, and the rate to take', () =>
  withShapes(async (folder, data) => {
    const given = ['--model', 'refinedet-tiny-64', '--data', data, '--batch', '4', '--threads', '1'];
    const { code, stdout, stderr } = await runCli('train', ...given, '--find-lr', '--json');
    assert.equal(code, 0, stderr);
    const lines = linesOf(stdout, 'train') as { kind: string; learningRate: number; smoothed: number }[];
    const tried = lines.slice(0, -1);
    const best = tried.reduce((least, line) => (line.smoothed < least.smoothed ? line : least));
    assert.deepEqual(lines.at(-1), { kind: 'suggestion', learningRate: best.learningRate / 10 });
    assert.ok(!existsSync(join(folder, 'runs')));
  }));
