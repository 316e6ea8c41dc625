// BOXWRIGHT_PEERS_PYTHON names a Python that has tensorboard, for the test with TensorBoard itself.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, truncateSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crc32c } from '../../src/report/logs/crc32c.js';
import {
  EventFile,
  eventFiles,
  readRecords,
  readScalars,
  rewindEventFiles,
  type ScalarEvent,
} from '../../src/report/logs/tensorboard.js';
import { inTemporaryFolder } from '../temporary-folder.js';
import { CraftedRun, craftedData, stepsPerEpoch } from './crafted-run.js';

const python = process.env.BOXWRIGHT_PEERS_PYTHON;
const hasTensorBoard = python !== undefined && spawnSync(python, ['-c', 'import tensorboard']).status === 0;
const withTensorBoard = { skip: hasTensorBoard ? false : 'needs BOXWRIGHT_PEERS_PYTHON, a Python with tensorboard' };
const script = fileURLToPath(new URL('../../../test/report/read-scalars.py', import.meta.url));

/** All scalars of a run's event files, in order. */
function scalarsOf(folder: string): ScalarEvent[] {
  return eventFiles(folder).flatMap((name) =>
    readRecords(readFileSync(join(folder, name))).flatMap((record) => readScalars(record) ?? []),
  );
}

const stepsOf = (folder: string, tag: string) =>
  scalarsOf(folder).flatMap(({ step, values }) => (tag in values ? [step] : []));

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test('checksums are those of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('what is written is read back, the version first; a record that is cut off or changed ends the file', () =>
  inTemporaryFolder(async (folder) => {
    const file = EventFile.next(folder, 1_700_000_000_000);
    assert.match(file.path, /events\.out\.tfevents\.1700000000\.boxwright$/);
    file.append({ step: 1, wallTime: 12.5, values: { 'train/loss': 0.5, 'train/ärger': -2 } });
    file.append({ step: 3_000_000_000, wallTime: 13, values: { 'train/loss': 0.25 } });
    const bytes = await readFile(file.path);
    const records = readRecords(bytes);
    assert.equal(records.length, 3);
    assert.ok(Buffer.from(records[0]).includes('brain.Event:2'));
    assert.deepEqual(scalarsOf(folder), [
      { step: 1, wallTime: 12.5, values: { 'train/loss': 0.5, 'train/ärger': -2 } },
      { step: 3_000_000_000, wallTime: 13, values: { 'train/loss': 0.25 } },
    ]);
    truncateSync(file.path, bytes.length - 3);
    assert.deepEqual(stepsOf(folder, 'train/loss'), [1]);
    bytes[bytes.length - 9] ^= 1;
    await writeFile(file.path, bytes);
    assert.deepEqual(stepsOf(folder, 'train/loss'), [1]);
    assert.notEqual(EventFile.next(folder, 1_700_000_000_000).path, file.path, 'files do not mix');
  }));

test('rewinding takes out what is to come again, and leaves other files as they are', () =>
  inTemporaryFolder(async (folder) => {
    const [first, second] = [EventFile.next(folder, 1e12), EventFile.next(folder, 2e12)];
    for (const step of [1, 2]) first.append({ step, wallTime: 0, values: { a: step } });
    for (const step of [3, 4]) second.append({ step, wallTime: 0, values: { a: step } });
    const before = await stat(first.path);
    truncateSync(second.path, (await stat(second.path)).size - 1);
    await rewindEventFiles(folder, ({ step }) => step < 4);
    assert.deepEqual(stepsOf(folder, 'a'), [1, 2, 3]);
    assert.equal((await stat(first.path)).ino, before.ino);
  }));

/** A run that is killed in its second epoch, ten steps behind its checkpoint, and goes on. */
async function brokenRun(folder: string): Promise<void> {
  const dataset = await craftedData(`${folder}/data`, ['a cat', 'dog']);
  const run = new CraftedRun(folder, dataset, { epochs: 2, learningRate: 1e-3 });
  await run.begin();
  for (const step of upTo(stepsPerEpoch)) await run.step(step);
  await run.evaluate(1, 0.3);
  for (const step of upTo(10)) await run.step(stepsPerEpoch + step);
  // As RunFolder.rewindEvents does.
  const path = join(folder, 'events.jsonl');
  const kept = (await readFile(path, 'utf8')).split('\n').filter((line) => {
    if (!line) return false;
    const { kind, step = 0 } = JSON.parse(line) as { kind: string; step?: number };
    return step < stepsPerEpoch || (step === stepsPerEpoch && kind !== 'evaluation');
  });
  await writeFile(path, `${kept.join('\n')}\n`);
  await run.begin({ step: stepsPerEpoch, evaluationDue: true });
  await run.evaluate(1, 0.3);
  for (const step of upTo(stepsPerEpoch)) await run.step(stepsPerEpoch + step);
  await run.evaluate(2, 0.1);
}

test('a run that goes on has every step once, in TensorBoard files and tables', () =>
  inTemporaryFolder(async (folder) => {
    await brokenRun(folder);
    assert.equal(eventFiles(folder).length, 2, 'a file for each part');
    assert.deepEqual(stepsOf(folder, 'train/loss'), upTo(2 * stepsPerEpoch));
    assert.deepEqual(stepsOf(folder, 'evaluation/AP'), [stepsPerEpoch, 2 * stepsPerEpoch]);
    const rows = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim().split('\n');
    const steps = await rows('steps.csv');
    assert.equal(
      steps[0],
      'step,epoch,loss,loss/arm_cls,loss/odm_loc,gradient_norm,learning_rate,pictures_per_second,waiting',
    );
    assert.deepEqual(
      steps.slice(1).map((line) => Number(line.split(',')[0])),
      upTo(2 * stepsPerEpoch),
    );
    const metrics = await rows('metrics.csv');
    assert.match(metrics[0], /^step,epoch,best,AP,AP50,AP75,.*,AP\/a cat,AP50\/a cat,AP\/dog,AP50\/dog,seconds$/);
    assert.deepEqual(
      metrics.slice(1).map((line) => line.split(',').slice(0, 2)),
      [
        [`${stepsPerEpoch}`, '1'],
        [`${2 * stepsPerEpoch}`, '2'],
      ],
    );
  }));

test('TensorBoard itself reads the same', withTensorBoard, () =>
  inTemporaryFolder(async (folder) => {
    await brokenRun(folder);
    const text = execFileSync(python!, [script, folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const found = JSON.parse(text) as Record<string, [number, number][]>;
    const expected: Record<string, [number, number][]> = {};
    for (const { step, values } of scalarsOf(folder)) {
      for (const [tag, value] of Object.entries(values)) {
        expected[tag] ??= [];
        expected[tag].push([step, value]);
      }
    }
    assert.ok(Object.keys(expected).length > 15);
    assert.deepEqual(found, expected);
  }),
);
