import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TrainEvent } from '../../src/train/index.js';
import { lastState, withShapes } from '../train/runs.js';
import { runCli, runCliWithFullDisk, startCli } from './run-cli.js';

const small = (data: string, out: string, epochs: number) => [
  'train',
  '--model',
  'refinedet-tiny-64',
  '--data',
  data,
  '--out',
  out,
  '--epochs',
  `${epochs}`,
  '--batch',
  '4',
  '--threads',
  '1',
  '--json',
];

/** Resolves once the run has printed an event of this kind. */
async function seen(running: ReturnType<typeof startCli>, kind: TrainEvent['kind']): Promise<void> {
  await new Promise<void>((resolve) => {
    let text = '';
    running.process.stdout!.on('data', (part: string) => {
      text += part;
      if (text.includes(`"kind":"${kind}"`)) resolve();
    });
    running.process.on('close', () => resolve());
  });
}

test('train --json prints events and nothing else, and the figures are for people without it', () =>
  withShapes(async (folder, data) => {
    const { code, stdout, stderr } = await runCli(...small(data, join(folder, 'run'), 1));
    assert.equal(code, 0, stderr);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TrainEvent);
    assert.equal(events[0].kind, 'start');
    assert.equal(events.at(-1)?.kind, 'end');
    const args = small(data, join(folder, 'other'), 1).filter((word) => word !== '--json');
    const people = await runCli(...args);
    assert.match(people.stdout, /epoch 1 {2}AP .* AP50 .*\n {2}AP50 by class: circle/);
    assert.match(people.stderr, /12 pictures to learn from, 4 to judge by; classes: circle, square, triangle, star/);
  }));

test('Ctrl-C saves and says how to go on; --resume does', { skip: process.platform === 'win32' && 'signals' }, () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const running = startCli(small(data, out, 40));
    await seen(running, 'step');
    running.process.kill('SIGINT');
    const { code, stdout } = await running.result;
    assert.equal(code, 130);
    assert.match(stdout, /"kind":"end","reason":"stopped"/);
    assert.ok(existsSync(join(out, 'last.safetensors')));
    const again = startCli(['train', '--resume', '--out', out, '--json']);
    await seen(again, 'step');
    again.process.kill('SIGINT');
    assert.match((await again.result).stdout, /"resumedAt":[1-9]/);
  }),
);

test(
  'a run killed at a bad moment resumes and ends like one that was left alone',
  { skip: process.platform === 'win32' && 'signals' },
  () =>
    withShapes(async (folder, data) => {
      const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
      assert.equal((await runCli(...small(data, whole, 2))).code, 0);
      const running = startCli(small(data, killed, 2));
      await seen(running, 'checkpoint');
      running.process.kill('SIGKILL');
      await running.result;
      const { code, stderr } = await runCli('train', '--resume', '--out', killed);
      assert.equal(code, 0, stderr);
      const [expected, found] = [await lastState(whole), await lastState(killed)];
      for (const [name, bytes] of expected) assert.ok(Buffer.from(bytes).equals(found.get(name)!), `${name} differs`);
    }),
);

test(
  'a disk that is full while saving is told of, and the run goes on from what it had',
  { skip: process.platform === 'win32' && 'needs ulimit' },
  () =>
    withShapes(async (folder, data) => {
      const out = join(folder, 'run');
      const { code, stderr } = await runCliWithFullDisk(256, ...small(data, out, 1));
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^error: cannot write .*\.safetensors: .*\(EFBIG\)/m);
      assert.deepEqual(
        (await readdir(out)).filter((name) => /safetensors|tmp/.test(name)),
        [],
        'nothing half-written',
      );
      const again = await runCli('train', '--resume', '--out', out);
      assert.equal(again.code, 0, again.stderr);
      assert.ok(existsSync(join(out, 'last.safetensors')));
    }),
);

test('wrong use is told with exit code 2, wrong names with the nearest one', async () => {
  const none = await runCli('train');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /--data is missing/);
  const unknown = await runCli('train', '--data', 'nowhere', '--model', 'refinedet-vgg19-320');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /Did you mean "refinedet-vgg16-320"\?/);
  const missing = await runCli('train', '--data', 'nowhere');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /nowhere/);
});
