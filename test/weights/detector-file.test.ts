import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectorOf } from '../../src/weights/detector-file.js';
import { fittingModels } from '../../src/weights/loading/fitting-models.js';
import { readJson } from '../models/zoo-golden.js';
import { needs } from '../shared.js';
import { detectron2Names } from './detectron2-names.js';
import { type Listed, listedFile, someClasses } from './listed-file.js';

interface Parameter {
  readonly name: string;
  readonly shape: number[];
}
const rows = (list: readonly Parameter[]): Listed[] => list.map(({ name, shape }) => [name, shape]);
const cascade = 'golden/cascade-rcnn-zoo/parameters.json';
const refinedet = 'golden/refinedet-zoo/parameters_resnet101-320.json';
const mmdetection = 'golden/cascade-rcnn-paper/names-r50.json';

const cascadeFile = async () =>
  listedFile(rows((await readJson<{ network: Parameter[] }>(cascade)).network), { format: 'mindspore' });

test("the card's Cascade R-CNN fits one model, which is chosen and said", needs(cascade), async () => {
  const { checkpoint, note } = detectorOf('a.ckpt', await cascadeFile(), { classes: someClasses(80) });
  assert.equal(checkpoint.model, 'cascade-rcnn-resnet101-zoo');
  assert.equal(checkpoint.parameters.size, 566);
  assert.equal(
    note,
    "a.ckpt is taken as cascade-rcnn-resnet101-zoo. 566 parameters from a.ckpt (the MindSpore zoo's Cascade R-CNN).",
  );
});

test('classes that the file does not name have to be given, as many as it has', needs(cascade), async () => {
  const file = await cascadeFile();
  assert.throws(() => detectorOf('a.ckpt', file, {}), {
    code: 'config',
    message: /a\.ckpt: the file does not name its classes, which are 80\. Give them in their order \(--classes/,
  });
  assert.throws(() => detectorOf('a.ckpt', file, { classes: ['a', 'b'] }), {
    code: 'weights',
    message: /a\.ckpt: its heads tell 80 classes apart, not the given 2 \(a, b\)/,
  });
});

test('a file that fits both sizes of a RefineDet needs the model named', needs(refinedet), async () => {
  const file = listedFile(rows((await readJson<{ eval: Parameter[] }>(refinedet)).eval));
  const classes = someClasses(80);
  assert.throws(() => detectorOf('a.ckpt', file, { classes }), {
    code: 'weights',
    message: /a\.ckpt: fits refinedet-resnet101-320-zoo and refinedet-resnet101-512-zoo\. Name one of them/,
  });
  const model = 'refinedet-resnet101-512-zoo';
  assert.equal(detectorOf('a.ckpt', file, { classes, model }).checkpoint.model, model);
  assert.throws(() => detectorOf('a.ckpt', file, { classes, model: 'refinedet-resnet10-512-zoo' }), { code: 'model' });
});

test('published cascades are told apart by their names', needs(mmdetection), async () => {
  const theirs = fittingModels('a.pth', listedFile(await readJson<Listed[]>(mmdetection)));
  assert.deepEqual(
    theirs.map(({ models, classes }) => [models, classes]),
    [[['cascade-rcnn-resnet50'], 80]],
  );
  const detectron = fittingModels('a.pkl', listedFile(detectron2Names([3, 4, 23, 3], 13)));
  assert.deepEqual(
    detectron.map(({ models, classes }) => [models, classes]),
    [[['cascade-rcnn-resnet101-detectron2'], 13]],
  );
});

for (const [version, key] of [
  [2, 'meta.CLASSES'],
  [3, 'meta.dataset_meta.classes'],
] as const) {
  test(`mmdetection's files name their classes themselves, version ${version}`, needs(mmdetection), async () => {
    const classes = someClasses(80);
    const metadata = { [key]: JSON.stringify(classes), 'meta.epoch': '12' };
    const file = listedFile(await readJson<Listed[]>(mmdetection), { metadata });
    assert.deepEqual(detectorOf('a.pth', file, {}).checkpoint.classes, classes);
  });
}

test('what is no whole detector fits nothing', () => {
  const backbone = listedFile([['conv1.weight', [64, 3, 7, 7]]]);
  assert.deepEqual(fittingModels('a.pth', backbone), []);
  assert.throws(() => detectorOf('a.pth', backbone, { classes: ['a'] }), {
    code: 'weights',
    message: /a\.pth: fits no model as a whole/,
  });
});
