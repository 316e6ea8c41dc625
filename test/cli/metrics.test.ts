import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { metricBlocks } from '../../src/cli/metric-blocks.js';
import { byName } from '../evaluate/by-name.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

/** What these tests look at of a class. */
interface Figures {
  readonly name: string;
  readonly AP: number;
  readonly oLRP: number;
  readonly threshold: number;
  readonly tp: number;
}

const truth = {
  images: [
    { id: 1, neg_category_ids: [], not_exhaustive_category_ids: [] },
    { id: 2, neg_category_ids: [1], not_exhaustive_category_ids: [] },
    { id: 3, neg_category_ids: [], not_exhaustive_category_ids: [] },
  ],
  categories: [
    { id: 1, name: 'cat', frequency: 'r' },
    { id: 5, name: 'dog', frequency: 'f' },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 10, 10] },
    { id: 2, image_id: 2, category_id: 5, bbox: [0, 0, 10, 10] },
  ],
};
const results = [
  { image_id: 1, category_id: 1, bbox: [0, 0, 10, 10], score: 0.8 },
  { image_id: 2, category_id: 1, bbox: [0, 0, 10, 10], score: 0.9 },
  { image_id: 2, category_id: 5, bbox: [0, 0, 10, 6], score: 0.7 },
];

async function files(t: TestContext, given: object = truth) {
  const folder = await temporaryFolder(t);
  const path = async (name: string, content: unknown) => {
    await writeFile(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const [truthFile, a] = [await path('truth.json', given), await path('a.json', results)];
  const worse = results.map((result) => ({ ...result, bbox: [40, 40, 10, 10] }));
  return { options: ['--detections', a, '--truth', truthFile], worse: await path('b.json', worse) };
}

async function json(...options: string[]) {
  const { code, stdout, stderr } = await runCli('eval', ...options, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const near = (found: number, expected: number) => assert.ok(Math.abs(found - expected) < 1e-9, `${found}`);

describe('eval --metrics', () => {
  test('prints a block of JSON for each word', async (t) => {
    const { options } = await files(t);
    const words = Object.keys(metricBlocks);
    const found = await json(...options, '--metrics', words.join());
    const keys = words.map((word) => (word.startsWith('voc') ? 'voc' : word));
    assert.deepEqual(Object.keys(found).sort(), ['coco', 'perClass', ...new Set(keys)].sort());
    near(found.tide.AP, 0.75);
    assert.equal(found.tide.counts.Cls, 1, 'the cat that is a dog');
    near(byName<Figures>(found.lrp.perClass).dog.oLRP, 0.8);
    assert.equal(byName<Figures>(found.lrp.perClass).dog.threshold, 0.7);
    assert.deepEqual(Object.keys(found.voc), ['voc07', 'voc10']);
    near(found.voc.voc10.mAP, 0.75);
    near(found.lvis.APr, 0.5);
    assert.deepEqual(found.confusion.counts, [
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ]);
    assert.equal(found.curves.pooled.best.tp, 2);
    assert.equal(found.calibration.detections, 3);
    assert.equal(found.breakdown.sizes[0].positives, 2);
    assert.equal(found.bootstrap.AP.value, found.coco.AP);
  });

  test('prints tables for people', async (t) => {
    const { options } = await files(t);
    const { code, stdout, stderr } = await runCli('eval', ...options, '--metrics', Object.keys(metricBlocks).join());
    assert.equal(code, 0, stderr);
    for (const line of [
      /^TIDE at IoU 0\.5: AP 75\.0/m,
      /^Cls +\+\d+\.\d +1 +right place, wrong class$/m,
      /^dog +80\.0 +40\.0 +0\.0 +0\.0 +0\.700$/m,
      /^VOC 2007, 11 points, IoU above 0\.5: mAP 75\.0$/m,
      /^ +AP +AP50 .* APr +APc +APf /m,
      /^background +0 +1 +0$/m,
      /^all together +0\.700 /m,
      /^calibration at IoU 0\.5, percent: D-ECE /m,
      /^tiny +2 /m,
      /^95 % intervals from 1000 draws of 3 pictures, percent$/m,
    ]) {
      assert.match(stdout, line);
    }
  });

  test('--iou gives the threshold of those that have one', async (t) => {
    const { options } = await files(t);
    const { tide, lrp, coco } = await json(...options, '--metrics', 'tide,lrp', '--iou', '0.7');
    assert.deepEqual([tide.iouThreshold, lrp.iouThreshold], [0.7, 0.7]);
    near(tide.AP, coco.AP);
  });

  test('--plus-one gives VOC boxes another pixel, as the devkit does', async (t) => {
    const { options } = await files(t);
    // The dog's IoU is 60 / 100 of an object of 10 × 10, and 77 / 121 with a pixel more.
    const figure = async (...more: string[]) =>
      byName<Figures>((await json(...options, '--metrics', 'voc10', '--iou', '0.62', ...more)).voc.voc10.perClass).dog
        .tp;
    assert.equal(await figure(), 0);
    assert.equal(await figure('--plus-one'), 1);
  });

  test('lvis says what it needs, and nothing but coco goes without classes', async (t) => {
    const { categories, ...rest } = truth;
    const { options } = await files(t, { ...rest, categories: categories.map(({ id, name }) => ({ id, name })) });
    const lacking = await runCli('eval', ...options, '--metrics', 'lvis');
    assert.equal(lacking.code, 1);
    assert.match(lacking.stderr, /--metrics lvis needs LVIS's ground truth.*"frequency".*category "cat" has/);
    const agnostic = await runCli('eval', ...options, '--metrics', 'tide', '--agnostic');
    assert.equal(agnostic.code, 2);
    assert.match(agnostic.stderr, /--agnostic goes with the metric coco alone/);
  });
});

test('eval --against compares two results picture by picture', async (t) => {
  const { options, worse } = await files(t);
  const { comparison, coco } = await json(...options, '--against', worse);
  near(comparison.a, coco.AP);
  assert.equal(comparison.b, 0);
  assert.deepEqual([comparison.better, comparison.worse, comparison.withoutTruth.pictures], [0, 2, 1]);
  // Of four exchanges two give as much: all or nothing of what A has.
  assert.ok(comparison.p > 0.4 && comparison.p < 0.6, `p ${comparison.p}`);
  const { stdout } = await runCli('eval', ...options, '--against', worse);
  assert.match(stdout, /^AP of A \(--detections\) [\d.]+, of B \(--against\) 0\.0; difference −/m);
  assert.match(stdout, /no more than chance may explain/);
  const alone = await runCli('eval', 'model', '--data', 'data', '--against', worse);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /--against needs --detections/);
});

test('eval --subset zoo leaves out pictures without objects and with crowds', async (t) => {
  const crowd = { id: 3, image_id: 2, category_id: 5, bbox: [0, 0, 50, 50], iscrowd: 1 };
  const { options, worse } = await files(t, { ...truth, annotations: [...truth.annotations, crowd] });
  const { code, stdout, stderr } = await runCli('eval', ...options, '--against', worse, '--subset', 'zoo', '--json');
  assert.equal(code, 0, stderr);
  const { comparison, perClass } = JSON.parse(stdout);
  assert.equal(comparison.pictures, 1);
  near(byName<Figures>(perClass).cat.AP, 1);
  assert.equal(byName<Figures>(perClass).dog.AP, -1);
  assert.match(stderr, /--subset zoo: 1 of 3 pictures have objects and no crowd region/);
});
