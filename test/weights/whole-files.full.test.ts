// Whole files as their projects write them, of the size they have, with the hashed weights of ../shared/golden: what they
// are read as detects what the references have recorded. Minutes, and gigabytes of memory.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { cocoClasses } from '../../src/hub/coco-classes.js';
import { type DetectorRecipe, evaluationGraph } from '../../src/models/model.js';
import { zooRefineDet } from '../../src/models/refinedet/recipes.js';
import { Detector } from '../../src/predict/detector.js';
import type { Checkpoint } from '../../src/weights/checkpoint.js';
import { type DetectorChoice, readDetector } from '../../src/weights/detector-file.js';
import { writeMindspore } from '../../src/weights/formats/mindspore-writer.js';
import { inSourceNames } from '../../src/weights/loading/in-source-names.js';
import { cascadeRcnnMmdetection } from '../../src/weights/loading/maps/cascade-rcnn-mmdetection.js';
import { fromSource, type NameMap, sourceName } from '../../src/weights/loading/maps/name-map.js';
import { refineDetCaffeVgg16 } from '../../src/weights/loading/maps/refinedet-caffe.js';
import { refineDetPytorch } from '../../src/weights/loading/maps/refinedet-pytorch.js';
import { refineDetZooVgg16 } from '../../src/weights/loading/maps/refinedet-zoo.js';
import { readGolden } from '../golden.js';
import { recipe as paperRecipe, paperWeights } from '../models/cascade-paper-golden.js';
import { compareFound, foundIn, recordedResult } from '../models/cascade-zoo-detections.js';
import { type Gains, recipe as zooCascade, zooWeights as zooCascadeWeights } from '../models/cascade-zoo-golden.js';
import { recordedPictures, recipe as smallZooCascade } from '../models/cascade-zoo-inference.js';
import { fast, runOnce } from '../models/graph-session.js';
import { pytorchRefineDet, pytorchWeights } from '../models/pytorch-golden.js';
import { detectOnHost, zooPostprocess } from '../models/refinedet-postprocess-host.js';
import { readJson, zooWeights } from '../models/zoo-golden.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { caffeFile } from './caffe-writer.js';
import { floats, someClasses } from './listed-file.js';
import { pytorchFile } from './torch-writer.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

const specsOf = (recipe: DetectorRecipe) => evaluationGraph(recipe).p.specs.values();

/** Weights under a source's names and in its layout. */
function named(map: NameMap, weights: Readonly<Record<string, Tensor>>): Map<string, Tensor> {
  return new Map(
    Object.entries(weights).map(([name, tensor]) => [sourceName(map, name)!, fromSource(map, name, tensor)]),
  );
}

async function fileOf(t: TestContext, name: string, parts: readonly Uint8Array[]): Promise<string> {
  const path = join(await temporaryFolder(t), name);
  await writeFile(path, parts);
  return path;
}

async function read(path: string, choice: DetectorChoice): Promise<Checkpoint> {
  return (await readDetector(path, choice)).checkpoint;
}

/** Every parameter to the last bit. */
function assertSame({ parameters }: Checkpoint, weights: Readonly<Record<string, Tensor>>): void {
  assert.equal(parameters.size, Object.keys(weights).length);
  for (const [name, { shape, data }] of parameters) {
    assert.deepEqual(shape, weights[name].shape, name);
    const [a, b] = [data, weights[name].data].map((values) =>
      Buffer.from(values.buffer, values.byteOffset, values.byteLength),
    );
    assert.ok(a.equals(b), name);
  }
}

const photo = 'data/coco-mini/train2017/000000539216.jpg';
const both = shared(photo) ? needs('golden/refinedet-zoo') : needs(photo);
test('the RefineDet card, from .ckpt to boxes', both, async (t) => {
  const model = 'refinedet-vgg16-320-zoo';
  const weights = zooWeights(refineDetZooVgg16, specsOf(zooRefineDet('vgg16', 320, 80)));
  const path = join(await temporaryFolder(t), 'refinedet.ckpt');
  await writeMindspore(path, inSourceNames(model, 'mindspore', new Map(Object.entries(weights))));
  await using detector = await Detector.load(path, { model, classes: cocoClasses, minScore: 0 });
  const { width, height, detections } = await detector.detect(shared(photo)!);
  const { tensors } = await readGolden('refinedet-zoo/forward_vgg16-320.safetensors');
  const recorded = (name: string) => tensors.get(name)!.data as Float32Array;
  const heads = {
    armDeltas: recorded('arm_loc'),
    armLogits: recorded('arm_conf'),
    odmDeltas: recorded('odm_loc'),
    odmLogits: recorded('odm_conf'),
  };
  const expected = detectOnHost(heads, zooPostprocess, width, height);
  t.diagnostic(`${expected.scores.length} recorded, ${detections.length} found`);
  const ours = detections.map(({ labelIndex, score, box }) => ({ label: labelIndex, score, box: [...box] }));
  const theirs = Array.from(expected.labels, (label, i) => ({
    label: label - 1,
    score: expected.scores[i],
    box: [...expected.boxes.subarray(4 * i, 4 * i + 4)],
  }));
  const missed = theirs.filter((one) => !ours.some((other) => isSame(one, other)));
  const invented = ours.filter((one) => !theirs.some((other) => isSame(one, other)));
  t.diagnostic(`${missed.length} missed, ${invented.length} not recorded`);
  // Rounding may decide a few of the many overlaps next to the threshold the other way.
  assert.ok(missed.length + invented.length <= theirs.length / 1000, `${missed.length} and ${invented.length}`);
});

interface Row {
  readonly label: number;
  readonly score: number;
  readonly box: readonly number[];
}
const isSame = (a: Row, b: Row) =>
  a.label === b.label && Math.abs(a.score - b.score) < 1e-4 && a.box.every((x, i) => Math.abs(x - b.box[i]) < 0.05);

test('the Cascade R-CNN card, from .ckpt to boxes', needs('golden/cascade-rcnn-zoo'), async (t) => {
  const model = 'cascade-rcnn-resnet101-zoo';
  const record = await readJson<{ gains: Gains }>('golden/cascade-rcnn-zoo/inference.json');
  const weights = zooCascadeWeights(specsOf(zooCascade), record.gains);
  const path = join(await temporaryFolder(t), 'cascadercnn.ckpt');
  await writeMindspore(path, inSourceNames(model, 'mindspore', new Map(Object.entries(weights))));
  const checkpoint = await read(path, { classes: cocoClasses });
  assert.equal(checkpoint.model, model);
  assertSame(checkpoint, weights);
  const { tensors: golden } = await readGolden('cascade-rcnn-zoo/inference.safetensors');
  const state = await engine.createState(Object.fromEntries(checkpoint.parameters));
  const { outputs } = evaluationGraph(smallZooCascade);
  const results = await runOnce(engine, { ...outputs }, recordedPictures(golden), fast, state);
  await state.dispose();
  const errors = compareFound(foundIn(results), recordedResult(golden));
  t.diagnostic(`${errors}`);
  errors.assertBelow(1e-2, 'detections'); // a float16 step, where rounding may go either way
});

for (const format of ['zip', 'legacy'] as const) {
  test(`mmdetection's file in PyTorch's ${format} format`, needs('golden/cascade-rcnn-paper'), async (t) => {
    const weights = paperWeights(specsOf(paperRecipe));
    const parts = pytorchFile(format, named(cascadeRcnnMmdetection, weights), { wrapper: 'state_dict' });
    const path = await fileOf(t, 'cascade_rcnn_r50.pth', parts);
    const checkpoint = await read(path, { classes: cocoClasses });
    assert.equal(checkpoint.model, 'cascade-rcnn-resnet50');
    assertSame(checkpoint, weights);
  });
}

const paper = 'golden/refinedet-paper';
test("luuuyi's RefineDet in PyTorch's zip format", needs(paper), async (t) => {
  const weights = pytorchWeights(specsOf(pytorchRefineDet()));
  const path = await fileOf(t, 'RefineDet320.pth', pytorchFile('zip', named(refineDetPytorch, weights)));
  const model = 'refinedet-vgg16-320-luuuyi';
  assertSame(await read(path, { model, classes: someClasses(20) }), weights);
});

test("the same weights as Caffe's file, whose pixels are the other way round", needs(paper), async (t) => {
  const weights = pytorchWeights(specsOf(pytorchRefineDet()));
  const stem = 'backbone.conv1_1.weight';
  const { shape, data } = weights[stem];
  const area = shape[2] * shape[3];
  const turned = (data as Float32Array).map((_, i) => {
    const [out, channel, place] = [Math.floor(i / area / 3), Math.floor(i / area) % 3, i % area];
    return Number(data[(out * 3 + 2 - channel) * area + place]);
  });
  const caffe = named(refineDetCaffeVgg16, { ...weights, [stem]: floats(shape, turned) });
  const path = await fileOf(t, 'VGG16_refinedet_320x320.caffemodel', caffeFile(caffe));
  const choice = { model: 'refinedet-vgg16-320-luuuyi', classes: someClasses(20) };
  const { checkpoint, note } = await readDetector(path, choice);
  assert.match(note!, /the first convolution fitted to this model's pixels, from BGR to RGB/);
  assertSame(checkpoint, weights);
});
