import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataset } from '../../src/data/open.js';
import { BoxwrightError } from '../../src/errors.js';
import { gatherDetections } from '../../src/evaluate/evaluate-model.js';
import { cocoTables, optimalLrp, suggestedThresholds, summarise } from '../../src/evaluate/index.js';
import { Detector } from '../../src/predict/detector.js';
import { eventFiles, readRecords, readScalars } from '../../src/report/logs/tensorboard.js';
import { type TrainEvent, train } from '../../src/train/index.js';
import { readCheckpoint } from '../../src/weights/checkpoint.js';
import { writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { full } from '../shared.js';
import { asFound, eventsOf, lastState, resumed, small, trainedRun, withShapes } from './runs.js';

/** Learns something in few steps. */
const learning = { epochs: 4, augment: 'none', learningRate: 3e-3 } as const;

const stepsOf = (events: readonly TrainEvent[]) => events.flatMap((event) => (event.kind === 'step' ? [event] : []));

test('a run goes from start to end and leaves a folder that says everything', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const events = await trainedRun(data, out, learning);
    assert.deepEqual([...new Set(events.map(({ kind }) => kind))].sort(), [
      'checkpoint',
      'end',
      'evaluation',
      'plan',
      'start',
      'step',
    ]);
    const steps = stepsOf(events);
    assert.deepEqual(
      steps.map(({ step }) => step),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    assert.ok(steps.every(({ loss, losses }) => Number.isFinite(loss) && Object.keys(losses).length === 4));
    const epochLoss = (epoch: number) =>
      steps.filter((step) => step.epoch === epoch).reduce((sum, { loss }) => sum + loss, 0);
    assert.ok(epochLoss(4) < 0.8 * epochLoss(1), 'four epochs on twelve pictures lower the loss');
    const names = (await readdir(out)).map((name) => name.replace(/tfevents\.\d+/, 'tfevents.0'));
    assert.deepEqual(names.sort(), [
      'best.safetensors',
      'config.json',
      'events.jsonl',
      'events.out.tfevents.0.boxwright',
      'last.safetensors',
      'metrics.csv',
      'report.html',
      'report.json',
      'steps.csv',
    ]);
    const report = await readFile(join(out, 'report.html'), 'utf8');
    assert.match(report, /Completed at step 12 of 12, epoch 4/);
    assert.ok(report.includes('data:image/jpeg') && !events.some(({ kind }) => kind === 'warning'));
    const lines = (await readFile(join(out, 'events.jsonl'), 'utf8')).trim().split('\n');
    assert.equal(lines.length, events.length);
    const best = await readCheckpoint(join(out, 'best.safetensors'));
    assert.equal(best.state.size, 0, 'the best checkpoint is for use, not for going on');
    assert.deepEqual(best.classes, ['circle', 'square', 'triangle', 'star']);
  }));

test('stopped before it began, a run leaves nothing', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    await assert.rejects(eventsOf(small(data, out, { signal: AbortSignal.abort() })), { code: 'aborted' });
    assert.ok(!existsSync(out));
  }));

for (const accumulate of full ? [1, 2] : [2]) {
  test(`stopped in the middle and resumed, a run ends bit for bit like one never stopped (accumulate ${accumulate})`, () =>
    withShapes(async (folder, data) => {
      const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
      await trainedRun(data, whole, { accumulate });
      const controller = new AbortController();
      const first: TrainEvent[] = [];
      for await (const event of train(small(data, broken, { accumulate, signal: controller.signal }))) {
        first.push(event);
        if (event.kind === 'step' && event.step === 2) controller.abort();
      }
      const end = first.at(-1);
      assert.ok(end?.kind === 'end' && end.reason === 'stopped' && end.step === 2);
      const second = await eventsOf(resumed(broken));
      assert.deepEqual(
        stepsOf(second).map(({ step }) => step),
        [3, 4, 5, 6],
      );
      const [expected, found] = [await lastState(whole), await lastState(broken)];
      assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
      for (const [name, bytes] of expected) assert.ok(Buffer.from(bytes).equals(found.get(name)!), `${name} differs`);
      const events = (await readFile(join(broken, 'events.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as TrainEvent);
      assert.deepEqual(
        stepsOf(events).map(({ step }) => step),
        [1, 2, 3, 4, 5, 6],
        'no step is told twice',
      );
      const table = (await readFile(join(broken, 'steps.csv'), 'utf8')).trim().split('\n').slice(1);
      assert.deepEqual(
        table.map((line) => Number(line.split(',')[0])),
        [1, 2, 3, 4, 5, 6],
      );
      const scalars = eventFiles(broken).flatMap((name) =>
        readRecords(readFileSync(join(broken, name))).flatMap((record) => readScalars(record) ?? []),
      );
      const tagged = (tag: string) => scalars.flatMap(({ step, values }) => (tag in values ? [step] : []));
      assert.deepEqual(
        [tagged('train/loss'), tagged('evaluation/AP')],
        [
          [1, 2, 3, 4, 5, 6],
          [3, 6],
        ],
      );
    }));
}

test('a run that was killed before its first checkpoint starts again from the same beginning', () =>
  withShapes(async (folder, data) => {
    const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
    await trainedRun(data, whole, { epochs: 1 });
    for await (const event of train(small(data, killed, { epochs: 1 }))) if (event.kind === 'step') break;
    assert.ok(!existsSync(join(killed, 'last.safetensors')));
    await writeFile(join(killed, 'events.jsonl'), '{"kind":"step","step":1,"lo', { flag: 'a' }); // a line cut off
    await eventsOf(resumed(killed));
    const [expected, found] = [await lastState(whole), await lastState(killed)];
    for (const [name, bytes] of expected) assert.ok(Buffer.from(bytes).equals(found.get(name)!), `${name} differs`);
  }));

test('a loss that is no longer finite stops the run, names its pictures and keeps the last checkpoint', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const options = small(data, out, {
      optimizer: 'sgd',
      learningRate: 1e30,
      clip: 0,
      warmup: 4,
      schedule: 'constant',
    });
    await assert.rejects(eventsOf(options), (error: BoxwrightError) => {
      assert.equal(error.code, 'diverged');
      assert.match(error.message, /In step \d the loss is .*(NaN|Infinity).*\. Its pictures: \d+\.jpg/);
      return true;
    });
    assert.ok(existsSync(join(out, 'config.json')));
  }));

test('milestones say after which epochs the rate is a tenth', () =>
  withShapes(async (folder, data) => {
    const schedule = { schedule: 'step', milestones: [1, 2], learningRate: 1e-3, warmup: 0 } as const;
    const events = await eventsOf(small(data, join(folder, 'run'), { epochs: 3, evaluateEvery: 0, ...schedule }));
    const rates = events.flatMap((event) => (event.kind === 'step' ? [event.learningRate.toExponential(2)] : []));
    const each = rates.length / 3;
    const expected = ['1.00e-3', '1.00e-4', '1.00e-5'].flatMap((rate) => new Array<string>(each).fill(rate));
    assert.deepEqual(rates, expected);
  }));

test('frozen parameters stay, the others move', () =>
  withShapes(async (folder, data) => {
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await trainedRun(data, first, { epochs: 1 });
    await eventsOf(small(data, second, { epochs: 1, weights: join(first, 'best.safetensors'), freeze: ['backbone'] }));
    const [before, after] = [
      await readCheckpoint(join(first, 'best.safetensors')),
      await readCheckpoint(join(second, 'last.safetensors')),
    ];
    const moved = (name: string) =>
      !Buffer.from(before.parameters.get(name)!.data.buffer).equals(
        Buffer.from(after.parameters.get(name)!.data.buffer),
      );
    assert.ok(
      !moved('backbone.conv1.weight') &&
        !moved('backbone.layer4.0.conv1.weight') &&
        !moved('backbone.bn1.running_mean'),
    );
    assert.ok(moved('tcb.0.lateral.0.weight') && moved('odm.conf.0.weight'));
    assert.ok(
      ![...after.state.keys()].some((name) => name === 'first_moment:backbone.conv1.weight'),
      'frozen parameters have no optimizer state',
    );
  }));

const refused: Readonly<Record<string, readonly [more: Record<string, unknown>, code: string, message: RegExp]>> = {
  'an unknown model': [{ model: 'refinedet-resnet19-320' }, 'model', /Did you mean "refinedet-resnet18-320"/],
  'a size that no grid fits': [
    { model: 'refinedet-tiny-100' },
    'model',
    /no model "refinedet-tiny-100".* multiples of 64/,
  ],
  'no epochs': [{ epochs: 0 }, 'config', /epochs must be a whole number from 1, not 0/],
  'milestones of a cosine': [
    { milestones: [1] },
    'config',
    /milestones \(1\) are those of the schedule step, not of cosine/,
  ],
  'a milestone past the end': [
    { schedule: 'step', epochs: 2, milestones: [2] },
    'config',
    /rising whole epochs from 1 to 1, not 2/,
  ],
  'milestones that fall': [
    { schedule: 'step', epochs: 9, milestones: [4, 3] },
    'config',
    /rising whole epochs .* not 4, 3/,
  ],
  'evaluations every half epoch': [{ evaluateEvery: 0.5 }, 'config', /evaluateEvery must be a whole number.*not 0\.5/],
  'fewer threads than none': [{ threads: -1 }, 'config', /threads is -1, expected a whole number/],
  'a batch larger than the data': [{ batch: 13 }, 'config', /12 pictures do not fill a batch of 13/],
  'weights that are not there': [{ weights: 'nowhere.safetensors' }, 'io', /nowhere\.safetensors/],
  'a provider that is not here': [{ provider: 'coreml' }, 'provider', /"coreml"/],
};

for (const [what, [more, code, message]] of Object.entries(refused)) {
  test(
    `refused before anything is written: ${what}`,
    { skip: what.includes('provider') && process.platform === 'darwin' },
    () =>
      withShapes(async (folder, data) => {
        const out = join(folder, 'run');
        await assert.rejects(eventsOf(small(data, out, more)), (error: BoxwrightError) => {
          assert.ok(error instanceof BoxwrightError, String(error));
          assert.match(error.message, message);
          assert.equal(error.code, code);
          return true;
        });
        assert.ok(!existsSync(out), 'no folder is left behind');
      }),
  );
}

test('a folder with something in it is not trained into; a folder without a run is not resumed', () =>
  withShapes(async (folder, data) => {
    await assert.rejects(eventsOf(small(data, data)), /is not empty\. Go on with the run in it by --resume/);
    await assert.rejects(eventsOf(resumed(data)), /no config\.json/);
    await assert.rejects(eventsOf(resumed(join(folder, 'none'))), /does not exist/);
  }));

test('a checkpoint cut in half is refused, and the run stays as it is', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    await trainedRun(data, out, { epochs: 1 });
    const last = join(out, 'last.safetensors');
    const bytes = await readFile(last);
    await writeFile(last, bytes.subarray(0, bytes.length / 2));
    await assert.rejects(eventsOf(resumed(out)), (error: BoxwrightError) => {
      assert.equal(error.code, 'weights');
      assert.match(error.message, /last\.safetensors/);
      return true;
    });
    assert.equal((await readFile(last)).length, Math.floor(bytes.length / 2));
  }));

test('broken pictures and boxes beyond their picture are told of by name, once, and the run goes on', () =>
  withShapes(async (folder, data) => {
    for (const part of ['train', 'val']) {
      const [first] = (await readdir(join(data, part))).sort();
      const path = join(data, part, first);
      await writeFile(path, (await readFile(path)).subarray(0, 300));
    }
    const labels = join(data, 'annotations', 'instances_train.json');
    const json = JSON.parse(await readFile(labels, 'utf8')) as { annotations: { bbox: number[] }[] };
    json.annotations[0].bbox = [200, 200, 10, 10];
    json.annotations[1].bbox[2] = 0;
    await writeFile(labels, JSON.stringify(json));
    const events = await eventsOf(small(data, join(folder, 'run'), { batch: 3 }));
    const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
    const count = (pattern: RegExp) => warnings.filter((message) => pattern.test(message)).length;
    assert.equal(count(/^instances_train\.json, image \S+\.jpg, object \d+: .*\(dropped\)$/), 2, warnings.join('\n'));
    assert.equal(count(/^\S+\.jpg: the picture cannot be decoded \(.*\(replaced\)$/), 1, warnings.join('\n'));
    assert.equal(count(/^\S+\.jpg: the picture cannot be decoded \(.*\(dropped\)$/), 1, warnings.join('\n'));
    assert.equal(warnings.length, 4);
    const end = events.at(-1);
    assert.ok(end?.kind === 'end' && end.reason === 'completed' && end.broken === 1);
    assert.equal(events.filter(({ kind }) => kind === 'evaluation').length, 2);
  }));

test('data with a class that the run does not know are refused when it goes on', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    await trainedRun(data, out, { epochs: 1 });
    const before = await readFile(join(out, 'last.safetensors'));
    for (const part of ['train', 'val']) {
      const labels = join(data, 'annotations', `instances_${part}.json`);
      await writeFile(labels, (await readFile(labels, 'utf8')).replace('"star"', '"heart"'));
    }
    await assert.rejects(eventsOf(resumed(out)), {
      code: 'data',
      message: /class 'heart' is not among the 4 expected ones/,
    });
    assert.ok(before.equals(await readFile(join(out, 'last.safetensors'))));
  }));

test('in training a model has the figures that eval gives its checkpoint', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const events = await trainedRun(data, out, learning);
    const evaluation = events.findLast((event) => event.kind === 'evaluation' && event.best);
    await using detector = await Detector.load(out, { minScore: 0, threads: 1 });
    const dataset = await openDataset(data, { part: 'val' });
    const found = await detector.detect(dataset.images.map(({ path }) => path));
    const judged = await gatherDetections(dataset, asFound(found));
    const { coco } = summarise(cocoTables(judged));
    assert.ok(evaluation?.kind === 'evaluation' && evaluation.metrics.AP > 0, 'the figures are not trivial');
    for (const [name, value] of Object.entries(coco)) {
      const own = evaluation.metrics[name];
      assert.ok(Math.abs(own - value) < 1e-6, `${name}: ${own} in training, ${value} by eval`);
    }
    const thresholds = Object.entries(suggestedThresholds(optimalLrp(judged)));
    assert.ok(thresholds.length > 0, 'something is found');
    assert.deepEqual(Object.keys(detector.suggestedThresholds ?? {}).sort(), thresholds.map(([name]) => name).sort());
    for (const [name, score] of thresholds) {
      assert.ok(Math.abs(detector.suggestedThresholds![name] - score) < 1e-5, `threshold of ${name}`);
    }
  }));

test('weights of which nothing fits are refused with the nearest names', () =>
  withShapes(async (folder, data) => {
    const file = join(folder, 'other.safetensors');
    await writeSafetensors(
      file,
      new Map([['features.conv9.weight', { dtype: 'float32', shape: [1], data: new Float32Array(1) }]]),
    );
    await assert.rejects(
      eventsOf(small(data, join(folder, 'run'), { weights: file })),
      /None of the 1 tensors .* fits refinedet-tiny-64.*nearest/,
    );
  }));

test('a run that goes on takes no other settings', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    await trainedRun(data, out, { epochs: 1 });
    await assert.rejects(eventsOf({ ...resumed(out), epochs: 9, learningRate: 1 }), (error: BoxwrightError) => {
      assert.equal(error.code, 'config');
      assert.match(error.message, /leave out epochs, learningRate/);
      return true;
    });
  }));
