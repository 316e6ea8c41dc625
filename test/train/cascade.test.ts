// Cascade R-CNN in training: what differs from RefineDet, canvases and draws above all.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { openDataset } from '../../src/data/open.js';
import { evaluateDetections } from '../../src/evaluate/evaluate-model.js';
import { Detector } from '../../src/predict/detector.js';
import type { TrainConfig } from '../../src/train/config.js';
import { type TrainEvent, type TrainOptions, train } from '../../src/train/index.js';
import { readCheckpoint, writeCheckpoint } from '../../src/weights/checkpoint.js';
import { tinyCheckpoint } from '../predict/tiny-detector.js';
import { asFound, eventsOf, lastState, resumed, small, withShapes } from './runs.js';

const stepsOf = (events: readonly TrainEvent[]) => events.flatMap((event) => (event.kind === 'step' ? [event] : []));

const cascade = (data: string, out: string, more: Partial<TrainOptions> = {}): TrainOptions =>
  small(data, out, { model: 'cascade-rcnn-tiny', batch: 2, ...more });

interface Labels {
  readonly images: { file_name: string; width: number; height: number }[];
}

/** Widens every second picture of a part, so that there are squares and landscapes. */
async function widenHalf(data: string, part: string): Promise<void> {
  const path = join(data, 'annotations', `instances_${part}.json`);
  const labels = JSON.parse(await readFile(path, 'utf8')) as Labels;
  for (const image of labels.images.filter((_, i) => i % 2 === 1)) {
    const file = join(data, part, image.file_name);
    const wide = await sharp(await readFile(file))
      .extend({ right: image.width, background: '#777' })
      .jpeg()
      .toBuffer();
    await writeFile(file, wide);
    image.width *= 2;
  }
  await writeFile(path, JSON.stringify(labels));
}

test('a run learns from pictures of two shapes, on a canvas each, and eval gives its figures', () =>
  withShapes(async (folder, data) => {
    for (const part of ['train', 'val']) await widenHalf(data, part);
    const out = join(folder, 'run');
    const events = await eventsOf(
      cascade(data, out, { epochs: 6, augment: 'none', learningRate: 2e-3, evaluateEvery: 0, threads: 2 }),
    );
    const { canvases } = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as TrainConfig;
    assert.deepEqual(canvases, [
      { height: 128, width: 256 },
      { height: 192, width: 192 },
    ]);
    const steps = stepsOf(events);
    assert.equal(steps.length, 36);
    assert.deepEqual(Object.keys(steps[0].losses), [
      'rpn_cls',
      'rpn_reg',
      ...[1, 2, 3].flatMap((stage) => [`stage${stage}_cls`, `stage${stage}_reg`]),
    ]);
    const epochLoss = (epoch: number) =>
      steps.filter((step) => step.epoch === epoch).reduce((sum, { loss }) => sum + loss, 0);
    assert.ok(epochLoss(6) < 0.8 * epochLoss(1), `${epochLoss(1)} → ${epochLoss(6)}`);
    const evaluation = events.find((event) => event.kind === 'evaluation');
    await using detector = await Detector.load(out, { minScore: 0, threads: 1 });
    const dataset = await openDataset(data, { part: 'val' });
    const found = await detector.detect(dataset.images.map(({ path }) => path));
    const { coco } = await evaluateDetections(dataset, asFound(found));
    assert.ok(evaluation?.kind === 'evaluation' && evaluation.metrics.AR100 > 0, 'the figures are not trivial');
    for (const [name, value] of Object.entries(coco)) {
      const own = evaluation.metrics[name];
      assert.ok(Math.abs(own - value) < 1e-6, `${name}: ${own} in training, ${value} by eval`);
    }
  }));

test('stopped between canvases and resumed, a run ends bit for bit like one never stopped', () =>
  withShapes(async (folder, data) => {
    await widenHalf(data, 'train');
    const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
    await eventsOf(cascade(data, whole));
    const controller = new AbortController();
    for await (const event of train(cascade(data, broken, { signal: controller.signal }))) {
      if (event.kind === 'step' && event.step === 4) controller.abort();
    }
    const second = await eventsOf(resumed(broken));
    assert.deepEqual(
      stepsOf(second).map(({ step }) => step),
      [5, 6, 7, 8, 9, 10, 11, 12],
    );
    const [expected, found] = [await lastState(whole), await lastState(broken)];
    assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
    for (const [name, bytes] of expected) assert.ok(Buffer.from(bytes).equals(found.get(name)!), `${name} differs`);
  }));

test('pictures without any object are examples of background', () =>
  withShapes(async (folder, data) => {
    const path = join(data, 'annotations', 'instances_train.json');
    const labels = JSON.parse(await readFile(path, 'utf8')) as { annotations: unknown[] };
    await writeFile(path, JSON.stringify({ ...labels, annotations: labels.annotations.slice(0, 1) }));
    const events = await eventsOf(cascade(data, join(folder, 'run'), { epochs: 1 }));
    assert.equal(stepsOf(events).length, 6);
    assert.ok(
      stepsOf(events).every(({ loss, gradientNorm }) => Number.isFinite(loss) && Number.isFinite(gradientNorm)),
    );
  }));

test('parts may move more slowly, or not at all; a part that is not there is refused with the nearest', () =>
  withShapes(async (folder, data) => {
    const weights = join(folder, 'first.safetensors');
    await writeCheckpoint(weights, tinyCheckpoint('cascade-rcnn-tiny', ['circle', 'square', 'triangle', 'star']));
    const from = { epochs: 1, weights, freeze: ['backbone'], average: 0 };
    const moved = async (name: string, rates: TrainOptions['rates']) => {
      const out = join(folder, name);
      await eventsOf(cascade(data, out, { ...from, rates }));
      const [before, after] = [await readCheckpoint(weights), await readCheckpoint(join(out, 'last.safetensors'))];
      return (parameter: string) => {
        const [a, b] = [before, after].map(({ parameters }) => parameters.get(parameter)!.data as Float32Array);
        return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
      };
    };
    const [plain, slow] = [await moved('plain', {}), await moved('slow', { fpn: 0.01 })];
    assert.equal(plain('backbone.layer1.0.conv1.weight'), 0);
    assert.ok(slow('fpn.output.0.weight') < 0.05 * plain('fpn.output.0.weight'));
    assert.ok(slow('rpn.conv.weight') > 0.3 * plain('rpn.conv.weight'));
    const out = join(folder, 'wrong');
    await assert.rejects(eventsOf(cascade(data, out, { rates: { backbon: 0.1 } })), {
      code: 'config',
      message: /begins with "backbon"\. Did you mean "backbone"/,
    });
    await assert.rejects(eventsOf(cascade(data, out, { rates: { backbone: 0 } })), { code: 'config' });
    assert.ok(!existsSync(out));
  }));
