import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataset } from '../../src/data/open.js';
import type { BoxwrightError } from '../../src/errors.js';
import type { Tensor } from '../../src/graph/index.js';
import { evaluateRun } from '../../src/train/evaluate-run.js';
import { type TrainEvent, train } from '../../src/train/index.js';
import { readCheckpoint, writeCheckpoint } from '../../src/weights/checkpoint.js';
import { full } from '../shared.js';
import { eventsOf, lastState, resumed, small, trainedRun, withShapes } from './runs.js';

const told = async (run: string): Promise<TrainEvent[]> =>
  (await readFile(join(run, 'events.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TrainEvent);

const evaluated = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.kind === 'evaluation' ? [[event.epoch, event.step, event.metrics] as const] : []));

async function assertSameState(run: string, other: string): Promise<void> {
  const [expected, found] = [await lastState(run), await lastState(other)];
  assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
  for (const [name, bytes] of expected) assert.ok(Buffer.from(bytes).equals(found.get(name)!), `${name} differs`);
}

/** Trains until `until` says so, then leaves by the signal or, as a killed process does, just so. */
async function leave(run: string, data: string, how: 'signal' | 'kill', until: (event: TrainEvent) => boolean) {
  const controller = new AbortController();
  const events: TrainEvent[] = [];
  for await (const event of train(small(data, run, { signal: controller.signal }))) {
    events.push(event);
    if (!until(event)) continue;
    if (how === 'kill') break;
    controller.abort();
  }
  return events;
}

type Way = readonly ['signal' | 'kill', (event: TrainEvent) => boolean];

const ways: Readonly<Record<string, Way>> = {
  'by its signal before an evaluation': ['signal', (event) => event.kind === 'checkpoint' && event.step === 3],
  'by force between an evaluation and its checkpoint': ['kill', (event) => event.kind === 'evaluation'],
};
const furtherWays: Readonly<Record<string, Way>> = {
  'by force before an evaluation': ['kill', (event) => event.kind === 'checkpoint' && event.step === 3],
  'by its signal before the last evaluation': ['signal', (event) => event.kind === 'checkpoint' && event.step === 6],
};

test('stopped at an evaluation, a run has its checkpoint and makes up for the evaluation when it goes on', (t) =>
  withShapes(async (folder, data) => {
    const whole = join(folder, 'whole');
    const expected = evaluated(await eventsOf(small(data, whole)));
    assert.equal(expected.length, 2);
    for (const [name, [how, until]] of Object.entries({ ...ways, ...(full ? furtherWays : {}) })) {
      await t.test(name, async () => {
        const broken = join(folder, name.replaceAll(' ', '-'));
        const first = await leave(broken, data, how, until);
        const step = first.findLast((event) => event.kind === 'checkpoint')!.step;
        assert.equal((await readCheckpoint(join(broken, 'last.safetensors'))).progress?.evaluationDue, true);
        const end = first.at(-1)!;
        if (how === 'signal') assert.ok(end.kind === 'end' && end.reason === 'stopped' && end.step === step);
        const second = await eventsOf(resumed(broken));
        assert.ok(second[0].kind === 'start' && second[0].resumedAt === step);
        assert.equal(second[1].kind, 'evaluation', 'what is missing comes first');
        assert.deepEqual(evaluated(await told(broken)), expected, 'each evaluation is told once, with equal figures');
        await assertSameState(whole, broken);
        const [best, other] = await Promise.all([whole, broken].map((run) => readFile(join(run, 'best.safetensors'))));
        assert.ok(best.equals(other));
      });
    }
  }));

test('a run that is complete has nothing left to do when it goes on', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    await trainedRun(data, out, { epochs: 1 });
    const kinds = (await eventsOf(resumed(out))).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['start', 'end']);
  }));

test('an evaluation ends with the batch in which the signal comes', () =>
  withShapes(async (_, data) => {
    const controller = new AbortController();
    let batches = 0;
    const none = (dtype: 'float32' | 'int64', data: Float32Array | BigInt64Array) =>
      ({ dtype, shape: dtype === 'int64' ? [0] : [0, 4], data }) as Tensor;
    const detect = async () => {
      if (++batches === 2) controller.abort();
      const numbers = none('float32', new Float32Array());
      const places = none('int64', new BigInt64Array());
      return { boxes: numbers, scores: numbers, labels: places, pictures: places };
    };
    const result = await evaluateRun({ detect }, await openDataset(data, { part: 'val' }), {
      resize: { kind: 'stretch', size: 64 },
      batch: 1,
      workers: 1,
      onProblem: () => {},
      signal: controller.signal,
    });
    assert.equal(result, undefined);
    assert.equal(batches, 2, 'of four');
  }));

test('weights that are not finite after the last step are not saved over a good checkpoint', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const options = { optimizer: 'sgd', batch: 12, clip: 0, warmup: 0, schedule: 'constant' } as const;
    await eventsOf(small(data, out, { ...options, epochs: 1, learningRate: 1e-5 }));
    const path = join(out, 'config.json');
    const config = JSON.parse(await readFile(path, 'utf8'));
    // One more epoch of one step, whose loss is that of the good weights.
    await writeFile(path, JSON.stringify({ ...config, epochs: 2, learningRate: 1e38 }));
    const [last, best] = [join(out, 'last.safetensors'), join(out, 'best.safetensors')];
    const before = await Promise.all([last, best].map((file) => readFile(file)));
    await assert.rejects(eventsOf(resumed(out)), (error: BoxwrightError) => {
      assert.equal(error.code, 'diverged');
      assert.match(
        error.message,
        /After step 2 "\S+" holds numbers that are not finite\. The checkpoint before it stays/,
      );
      return true;
    });
    const after = await Promise.all([last, best].map((file) => readFile(file)));
    assert.ok(before.every((bytes, i) => bytes.equals(after[i])));
  }));

test('a checkpoint of other shapes is not gone on with', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    await trainedRun(data, out, { epochs: 1 });
    const last = join(out, 'last.safetensors');
    const checkpoint = await readCheckpoint(last);
    const wrong: Tensor = { dtype: 'float32', shape: [2], data: new Float32Array(2) };
    const refused = async (change: Partial<typeof checkpoint>, message: RegExp) => {
      await writeCheckpoint(last, { ...checkpoint, ...change });
      await assert.rejects(eventsOf(resumed(out)), (error: BoxwrightError) => {
        assert.match(error.message, message);
        assert.equal(error.code, 'weights');
        return true;
      });
    };
    const [name] = checkpoint.parameters.keys();
    const [state] = checkpoint.state.keys();
    const without = new Map([...checkpoint.parameters].slice(1));
    await refused({ parameters: without }, new RegExp(`last\\.safetensors: the file lacks 1 of .*${name}`));
    await refused(
      { parameters: new Map([...checkpoint.parameters, [name, wrong]]) },
      new RegExp(`last\\.safetensors: parameter "${name}" is float32\\[2\\], refinedet-tiny-64 needs float32\\[`),
    );
    await refused(
      { state: new Map([...checkpoint.state, [state, wrong]]) },
      new RegExp(`state "${state}" is float32\\[2\\], this run needs float32\\[`),
    );
  }));
