import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CocoEvaluator } from '../../src/evaluate/index.js';
import { Detector } from '../../src/predict/detector.js';
import { byName } from '../evaluate/by-name.js';
import { png, tinyCheckpoint, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

const categories = ['cross', 'disc', 'ring'].map((name, i) => ({ id: i + 1, name }));

/** A COCO data set of four pictures, whose truth is some of what the model finds: the figures are neither 0 nor 1. */
async function scene(t: TestContext) {
  const model = await tinyModelFile(t);
  const folder = await temporaryFolder(t);
  await using detector = await Detector.load(model, { minScore: 0.1 });
  const images = [];
  const annotations: { id: number; image_id: number; category_id: number; bbox: number[]; area: number }[] = [];
  for (let i = 0; i < 4; i++) {
    const file = `${i}.png`;
    await writeFile(join(folder, file), await png(100, 70, i));
    images.push({ id: 10 + i, file_name: file, width: 100, height: 70 });
    const { detections } = await detector.detect(join(folder, file));
    for (let d = 0; d < detections.length; d += 3) {
      const { box, labelIndex } = detections[d];
      const [x1, y1, x2, y2] = box.map((side, s) => Math.min(Math.max(Math.round(side), 0), s % 2 === 0 ? 100 : 70));
      if (x2 - x1 < 3 || y2 - y1 < 3) continue;
      const bbox = [x1, y1, x2 - x1, y2 - y1];
      const id = annotations.length + 1;
      annotations.push({
        id,
        image_id: 10 + i,
        category_id: labelIndex + 1,
        bbox,
        area: bbox[2] * bbox[3],
      });
    }
  }
  await writeFile(join(folder, 'truth.json'), JSON.stringify({ images, annotations, categories }));
  return { model, folder, images, annotations };
}

test('--json gives COCO’s figures at full precision, those of the evaluator', async (t) => {
  const { model, folder, images, annotations } = await scene(t);
  const { code, stdout, stderr } = await runCli('eval', model, '--data', join(folder, 'truth.json'), '--json');
  assert.equal(code, 0, stderr);
  await using detector = await Detector.load(model, { minScore: 0 });
  const evaluator = new CocoEvaluator({ classes: detector.classes });
  for (const { id, file_name } of images) {
    const { detections } = await detector.detect(join(folder, file_name));
    const truth = annotations.filter(({ image_id }) => image_id === id);
    evaluator.addPicture({
      id,
      truth: {
        boxes: truth.flatMap(({ bbox: [x, y, w, h] }) => [x, y, x + w, y + h]),
        labels: truth.map(({ category_id }) => category_id - 1),
        area: truth.map(({ area }) => area),
      },
      detections: {
        boxes: detections.flatMap(({ box }) => box),
        labels: detections.map(({ labelIndex }) => labelIndex),
        scores: detections.map(({ score }) => score),
      },
    });
  }
  const result = evaluator.result();
  assert.ok(result.coco.AP > 0 && result.coco.AP < 1, `AP is ${result.coco.AP}`);
  assert.equal(stdout, `${JSON.stringify(result)}\n`);
  assert.deepEqual(Object.keys(JSON.parse(stdout).coco), [
    'AP',
    'AP50',
    'AP75',
    'APs',
    'APm',
    'APl',
    'AR1',
    'AR10',
    'AR100',
    'ARs',
    'ARm',
    'ARl',
  ]);
  const batched = await runCli('eval', model, '--data', join(folder, 'truth.json'), '--json', '--batch', '4');
  assert.ok(Math.abs(JSON.parse(batched.stdout).coco.AP - result.coco.AP) < 1e-3, 'batches change rounding only');
});

test('--results writes what was judged, and judging that file gives the same figures', async (t) => {
  const { model, folder } = await scene(t);
  const [truth, results] = [join(folder, 'truth.json'), join(folder, 'found.json')];
  const direct = await runCli('eval', model, '--data', truth, '--json', '--results', results);
  assert.equal(direct.code, 0, direct.stderr);
  assert.deepEqual(JSON.parse(direct.stdout).written, { results: { path: results } });
  const again = await runCli('eval', '--detections', results, '--truth', truth, '--json');
  assert.equal(again.code, 0, again.stderr);
  const [expected, found] = [direct, again].map(({ stdout }) => JSON.parse(stdout));
  for (const [name, value] of Object.entries<number>(expected.coco)) {
    assert.ok(Math.abs(found.coco[name] - value) < 1e-9, `${name} is ${found.coco[name]}, not ${value}`);
  }
  const taken = await runCli('eval', model, '--data', truth, '--results', results);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /found\.json: exists already; choose another name, or use --force/);
  const nowhere = await runCli(
    'eval',
    model,
    '--data',
    truth,
    '--results',
    join(folder, 'no', 'found.json'),
    '--force',
  );
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /found\.json: there is no folder .*no; create it first/);
  assert.doesNotMatch(nowhere.stderr, /pictures/, 'told before the model runs');
  const { code, stdout } = await runCli(
    'eval',
    model,
    '--data',
    truth,
    '--results',
    results,
    '--force',
    '--iou',
    '0.5',
    '--json',
  );
  assert.equal(code, 0);
  assert.ok(JSON.parse(stdout).coco.AP75 === -1 && JSON.parse(stdout).coco.AP > 0);
});

test('people get a table', async (t) => {
  const { model, folder } = await scene(t);
  const { code, stdout } = await runCli('eval', model, '--data', join(folder, 'truth.json'));
  assert.equal(code, 0);
  assert.match(stdout, /AP {2}AP50 {2}AP75/);
  assert.match(stdout, /AR1 {2}AR10 {1}AR100/);
  for (const { name } of categories) assert.match(stdout, new RegExp(`^${name} +\\S+ +\\S+$`, 'm'));
  assert.match(stdout, /4 pictures, \d+ objects; percent/);
});

test('--stage stops a cascade, --tta looks several times, and a model without stages says so', async (t) => {
  const { model, folder } = await scene(t);
  const data = ['--data', join(folder, 'truth.json'), '--json'];
  const cascade = await tinyModelFile(t, tinyCheckpoint('cascade-rcnn-tiny'));
  const figures = new Set<string>();
  for (const options of [[], ['--stage', '1'], ['--stage', '1', '--tta-scales', '2']]) {
    const { code, stdout, stderr } = await runCli('eval', cascade, ...data, ...options);
    assert.equal(code, 0, stderr);
    figures.add(stdout);
  }
  assert.equal(figures.size, 3, 'each has other figures');
  const none = await runCli('eval', cascade, ...data, '--stage', '4');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /There is no stage 4: the cascade has stages 1 to 3/);
  const refinedet = await runCli('eval', model, ...data, '--stage', '1');
  assert.equal(refinedet.code, 1);
  assert.equal(refinedet.stdout, '');
  assert.match(refinedet.stderr, /refinedet-tiny-64 has no stages/);
});

test('classes that the model lacks are named, those that the data lack are told of', async (t) => {
  const { folder } = await scene(t);
  const fewer = await tinyModelFile(t, tinyCheckpoint('refinedet-tiny-64', ['cross', 'ring']));
  const lacks = await runCli('eval', fewer, '--data', join(folder, 'truth.json'));
  assert.equal(lacks.code, 1);
  assert.match(lacks.stderr, /class 'disc' is not among the 2 expected ones \(cross, ring\)/);
  const more = await tinyModelFile(t, tinyCheckpoint('refinedet-tiny-64', ['cross', 'disc', 'ring', 'star']));
  const { code, stdout, stderr } = await runCli('eval', more, '--data', join(folder, 'truth.json'), '--json');
  assert.equal(code, 0);
  assert.match(stderr, /warning: .*no object of class star/);
  assert.deepEqual(byName(JSON.parse(stdout).perClass).star, { name: 'star', AP: -1, AP50: -1 });
});

test('data that cannot be used are an error, not figures', async (t) => {
  const { model, folder } = await scene(t);
  const noData = await runCli('eval', model, '--data', join(folder, 'none'), '--json');
  assert.equal(noData.code, 1);
  assert.equal(noData.stdout, '');
  assert.match(noData.stderr, /none: there is no such folder or file/);
  await mkdir(join(folder, 'empty'));
  assert.match((await runCli('eval', model, '--data', join(folder, 'empty'))).stderr, /no annotations found/);
  await writeFile(join(folder, '2.png'), await png(90, 70));
  const otherSize = await runCli('eval', model, '--data', join(folder, 'truth.json'), '--json');
  assert.equal(otherSize.code, 1);
  assert.equal(otherSize.stdout, '');
  assert.match(otherSize.stderr, /2\.png: the annotations say 100×70 pixels, the picture has 90×70/);
  await writeFile(join(folder, '2.png'), 'text');
  const broken = await runCli('eval', model, '--data', join(folder, 'truth.json'));
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /2\.png.*cannot be decoded/);
});
