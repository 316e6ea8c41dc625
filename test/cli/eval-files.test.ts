import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli, startCli } from './run-cli.js';

const names = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'];

const truth = {
  images: [{ id: 1 }, { id: 2 }],
  categories: [
    { id: 1, name: 'cat' },
    { id: 5, name: 'dog' },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 10, 10] },
    { id: 2, image_id: 2, category_id: 5, bbox: [0, 0, 10, 10] },
  ],
};
const results = [
  { image_id: 1, category_id: 1, bbox: [0, 0, 10, 10], score: 0.9 },
  { image_id: 2, category_id: 1, bbox: [0, 0, 10, 10], score: 0.8 },
  { image_id: 2, category_id: 5, bbox: [0, 0, 10, 6], score: 0.7 },
];

async function files(t: Parameters<typeof temporaryFolder>[0], found: unknown = results) {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'truth.json'), JSON.stringify(truth));
  await writeFile(join(folder, 'results.json'), typeof found === 'string' ? found : JSON.stringify(found));
  return ['--detections', join(folder, 'results.json'), '--truth', join(folder, 'truth.json')];
}

test('results of any program are judged as pycocotools judges them', needs('data/coco-eval'), async () => {
  const folder = shared('data/coco-eval')!;
  const given = [
    ...['--detections', join(folder, 'instances_val2014_fakebbox100_results.json')],
    ...['--truth', join(folder, 'instances_val2014_100.json')],
  ];
  const { code, stdout, stderr } = await runCli('eval', ...given, '--json');
  assert.equal(code, 0, stderr);
  const { coco, perClass, ...rest } = JSON.parse(stdout);
  assert.deepEqual(rest, {});
  assert.deepEqual(Object.keys(coco), names);
  const expected = JSON.parse(readFileSync(join(folder, 'expected_val2014_100_bbox.json'), 'utf8'));
  names.forEach((name, i) => {
    assert.ok(Math.abs(coco[name] - expected.stats[i]) < 1e-12, `${name} is ${coco[name]}, not ${expected.stats[i]}`);
  });
  assert.equal(perClass.length, 80);
  const table = await runCli('eval', ...given);
  assert.match(table.stdout, /100 pictures, \d+ objects, 734 detections; percent/);
  const { AP, AP50 } = expected.perClass.person;
  const person = new RegExp(`^person +${(100 * AP).toFixed(1)} +${(100 * AP50).toFixed(1)}$`, 'm');
  assert.match(table.stdout, person);
});

describe('the options', () => {
  test('IoU thresholds, numbers of detections, classes or none', async (t) => {
    const given = [...(await files(t)), '--json'];
    const run = async (...more: string[]) => {
      const { code, stdout, stderr } = await runCli('eval', ...given, ...more);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    };
    const near = (found: number, expected: number) => assert.ok(Math.abs(found - expected) < 1e-12, `${found}`);
    // The cat is found at all thresholds, the dog (IoU 0.6) at the first three of ten.
    near((await run()).coco.AP, (1 + 0.3) / 2);
    near((await run('--iou', '0.5:0.95:0.05')).coco.AP, (1 + 0.3) / 2);
    near((await run('--iou', '0.5')).coco.AP, 1);
    near((await run('--iou', '0.55,0.75')).coco.AP, 0.75);
    const { coco } = await run('--max-dets', '1,300');
    assert.deepEqual(Object.keys(coco), [...names, 'AR300']);
    near(coco.AR300, 0.65);
    assert.equal(coco.AR100, -1);
    const agnostic = await run('--agnostic');
    near(agnostic.coco.AP, 1);
    assert.deepEqual(agnostic.perClass, []);
  });

  test('and what makes no sense', async (t) => {
    const given = await files(t);
    const cases: [string[], RegExp][] = [
      [[], /What is to be judged\? Give a model and --data, or --detections and --truth/],
      [given.slice(0, 2), /--detections needs --truth/],
      [given.slice(2), /--truth needs --detections/],
      [[...given, '--data', 'cells/'], /--data does not go with --detections: no model is run/],
      [['runs/cells', ...given], /<source> does not go with --detections/],
      [[...given, '--results', 'x.json'], /--results does not go with --detections/],
      [[...given, '--part', 'val'], /--part does not go with --detections/],
      [[...given, '--stage', '2'], /--stage does not go with --detections/],
      [[...given, '--tta'], /--tta does not go with --detections/],
      [[...given, '--iou', '0.5:0.95'], /--iou is "0\.5:0\.95"; give up to 32 numbers/],
      [[...given, '--iou', '0.5:0.95:0.1'], /--iou is "0\.5:0\.95:0\.1"/],
      [[...given, '--iou', '0.5:0.95:-0.05'], /--iou is/],
      [[...given, '--iou', '1.5'], /above 0 and at most 1/],
      [[...given, '--iou', 'half'], /--iou is "half"/],
      [[...given, '--max-dets', '1,,100'], /--max-dets has ""; give whole numbers from 1/],
      [[...given, '--max-dets', '0'], /--max-dets has "0"/],
      [[...given, '--metrics', 'cocoo'], /--metrics has "cocoo"\. Did you mean "coco"\?/],
    ];
    for (const [options, message] of cases) {
      const { code, stdout, stderr } = await runCli('eval', ...options);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, message);
    }
  });
});

test('files that cannot be used are an error with entry and field, not figures', async (t) => {
  const bad = [results[0], { ...results[1], score: 'high' }];
  const { code, stdout, stderr } = await runCli('eval', ...(await files(t, bad)), '--json');
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /results\.json, results\[1\]: score is "high", expected a number/);
  const [detections, file] = await files(t);
  const swapped = await runCli('eval', detections, (await files(t))[3], '--truth', file);
  assert.equal(swapped.code, 1);
  assert.match(swapped.stderr, /this is a list, as results are/);
});

test('odd scores and an empty list are told of', async (t) => {
  const odd = await runCli('eval', ...(await files(t, [{ ...results[0], score: 87 }])), '--json');
  assert.equal(odd.code, 0);
  assert.match(odd.stderr, /warning: .*1 of 1 scores are below 0 or over 1, such as 87 of results\[0\]/);
  const empty = await runCli('eval', ...(await files(t, [])), '--json');
  assert.equal(empty.code, 0);
  assert.match(empty.stderr, /warning: .*the list is empty/);
  assert.equal(JSON.parse(empty.stdout).coco.AP, 0);
});

test('neither the runtime of models nor the picture library is loaded', async (t) => {
  const told = `process.on('exit', () => console.error('LOADED', process.report.getReport().sharedObjects.join()))`;
  const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(told)}"` };
  const { code, stderr } = await startCli(['eval', ...(await files(t)), '--json'], env).result;
  assert.equal(code, 0);
  assert.match(stderr, /LOADED/);
  assert.doesNotMatch(stderr, /onnxruntime|vips/);
});
