import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { BoxwrightError } from '../../src/errors.js';
import { exportOnnx } from '../../src/export/export-onnx.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { writeLowered } from '../../src/lowering/write.js';
import { evaluationGraph, modelRecipe, resizeRule } from '../../src/models/model.js';
import { Detector } from '../../src/predict/detector.js';
import type { Detection, PictureDetections } from '../../src/predict/formats/index.js';
import { openModel } from '../../src/predict/model-source.js';
import type { PictureModel } from '../../src/predict/picture-detector.js';
import { sourceRecipe } from '../../src/predict/source-recipe.js';
import { scaledRecipes, type TestTime, withTestTime } from '../../src/predict/test-time.js';
import type { Checkpoint } from '../../src/weights/checkpoint.js';
import { temporaryFolder } from '../temporary-folder.js';
import { type Row, rowsOf, tensorsOf } from './detection-rows.js';
import { assertSameDetections, pixels, tinyCheckpoint, tinyModelFile } from './tiny-detector.js';

const fails = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BoxwrightError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

/** Stage of a parameter counted from 1, or NaN. */
const stageOf = (name: string) => Number(/^stages\.(\d+)/.exec(name)?.[1]) + 1;

/** With heads that have an opinion: first weights give all classes the same score, and boxes where the RoIs are. */
function cascadeCheckpoint(): Checkpoint {
  const checkpoint = tinyCheckpoint('cascade-rcnn-tiny');
  const parameters = new Map(
    [...checkpoint.parameters].map(([name, { dtype, shape, data }]) => {
      const factor = stageOf(name) >= 1 && /(cls|reg)\.weight$/.test(name) ? 10 : 1;
      return [
        name,
        { dtype, shape, data: Float32Array.from(data as Float32Array, (value) => value * factor) },
      ] as const;
    }),
  );
  return { ...checkpoint, parameters };
}

const checkpoints: Readonly<Record<string, () => Checkpoint>> = {
  'refinedet-tiny-64': () => tinyCheckpoint(),
  'cascade-rcnn-tiny': cascadeCheckpoint,
};

/** All that a model lets pass in a picture. */
async function found(path: string, picture: ReturnType<typeof pixels>, testTime?: TestTime): Promise<Detection[]> {
  await using detector = await Detector.load(path, { testTime, minScore: 0 });
  return [...(await detector.detect(picture)).detections];
}

function mirroredPicture(picture: ReturnType<typeof pixels>): ReturnType<typeof pixels> {
  const { width, height } = picture;
  const data = new Uint8Array(picture.data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = picture.data[(y * width + (width - 1 - x)) * 3 + c];
  return { ...picture, data };
}

const mirrored = (detections: readonly Detection[], width: number) =>
  detections.map(({ box: [x1, y1, x2, y2], ...rest }) => {
    return { ...rest, box: [width - x2, y1, width - x1, y2] as const };
  });

for (const [model, checkpoint] of Object.entries(checkpoints)) {
  const modelFile = (t: TestContext) => tinyModelFile(t, checkpoint());

  test(`${model}: one look gives what there is without augmentation, to the bit`, async (t) => {
    const path = await modelFile(t);
    const picture = pixels(90, 70);
    const plain = await found(path, picture);
    assert.ok(plain.length > 5, `${plain.length} detections`);
    for (const testTime of [{}, { flip: false, scales: [1] }, { scales: [1, 1] }]) {
      assert.deepEqual(await found(path, picture, testTime), plain);
    }
  });

  test(`${model}: with flips, a mirrored picture has the mirrored detections`, async (t) => {
    const path = await modelFile(t);
    const picture = pixels(90, 70, 3);
    const mirror = mirroredPicture(picture);
    const flip = { flip: true };
    const expected = mirrored(await found(path, picture, flip), 90);
    assertSameDetections(await found(path, mirror, flip), expected, 90);
    const plain = mirrored(await found(path, picture), 90);
    assert.throws(() => assertSameDetections(plain, mirrored(expected, 90), 90), 'one look is not symmetric');
  });

  test(`${model}: objects that several looks find are merged, in batches and streams too`, async (t) => {
    const path = await modelFile(t);
    const testTime = { flip: true, scales: [1, 2] };
    const pictures = [0, 1, 2].map((seed) => pixels(64, 64, seed));
    await using detector = await Detector.load(path, { testTime, minScore: 0 });
    const single: PictureDetections[] = [];
    for (const picture of pictures) single.push(await detector.detect(picture));
    const recipe = modelRecipe(model, detector.classes.length);
    for (const { detections } of single) {
      assert.ok(detections.length <= recipe.postprocess.keep!);
      detections.forEach((a, i) => {
        assert.ok(i === 0 || a.score <= detections[i - 1].score, 'by falling score');
        for (const b of detections.slice(0, i)) {
          if (a.labelIndex === b.labelIndex) assert.ok(overlap(a.box, b.box) <= recipe.postprocess.nms + 1e-5);
        }
      });
    }
    let index = 0;
    for await (const { source, detections } of detector.stream(pictures, { batch: 2 })) {
      assert.equal(source, `picture ${index}`);
      assertSameDetections(detections, single[index++].detections, 64, source);
    }
    assert.equal(index, 3);
    const some = await detector.detect(pictures[0], { minScore: 0.4 });
    assert.deepEqual(
      some.detections,
      single[0].detections.filter(({ score }) => score >= 0.4),
    );
  });
}

function overlap(a: Detection['box'], b: Detection['box']): number {
  const side = (i: 0 | 1) => Math.max(0, Math.min(a[i + 2], b[i + 2]) - Math.max(a[i], b[i]));
  const area = ([x1, y1, x2, y2]: Detection['box']) => (x2 - x1) * (y2 - y1);
  const common = side(0) * side(1);
  return common === 0 ? 0 : common / (area(a) + area(b) - common);
}

test('a scale of RefineDet is its network at another size, to the bit', async (t) => {
  const small = tinyCheckpoint('refinedet-tiny-64');
  const path = await tinyModelFile(t, small);
  const large = await tinyModelFile(t, { ...small, model: 'refinedet-tiny-128' });
  const picture = pixels(90, 70);
  const expected = await found(large, picture);
  assert.deepEqual(await found(path, picture, { scales: [2] }), expected);
  assert.deepEqual(await found(path, picture, { scales: [1.6, 2.4] }), expected, 'rounded to multiples of 64');
  assert.notDeepEqual(await found(path, picture), expected);
});

test('a scale of Cascade R-CNN is its network on a smaller canvas', async (t) => {
  const checkpoint = cascadeCheckpoint();
  const picture = pixels(128, 96);
  const scaled = await found(await tinyModelFile(t, checkpoint), picture, { scales: [0.5] });
  // At half of 256×192 this picture is its own canvas.
  const { outputs } = evaluationGraph(modelRecipe(checkpoint.model, checkpoint.classes.length));
  const graph = { name: 'canvas', outputs: { ...outputs }, initializers: checkpoint.parameters };
  await using engine = await Engine.start();
  const session = await engine.load(writeLowered(graph, { provider: 'cpu', form: 'reference' }).bytes);
  const images: Tensor = { dtype: 'uint8', shape: [1, 96, 128, 3], data: picture.data };
  const frames: Tensor = { dtype: 'float32', shape: [1, 4], data: Float32Array.of(96, 128, 1, 1) };
  const expected = rowsOf(await session.run({ images, frames })).map(([, labelIndex, score, box]) => {
    return { labelIndex, score, box };
  });
  assert.ok(expected.length > 5, `${expected.length} detections`);
  assertSameDetections(scaled, expected, 128);
});

test('sizes of the scales', () => {
  const sizes = (model: string, scales: number[]) =>
    scaledRecipes(modelRecipe(model, 3), { scales }).map((recipe) => {
      const rule = resizeRule(recipe);
      if (recipe.kind === 'refinedet')
        assert.deepEqual(recipe.anchors, modelRecipe(`refinedet-tiny-${recipe.size}`, 3).anchors);
      return rule.kind === 'stretch' ? rule.size : [rule.long, rule.short];
    });
  assert.deepEqual(sizes('refinedet-tiny-320', [0.8, 1, 1.25, 4, 0.01]), [256, 320, 384, 1280, 64]);
  assert.deepEqual(sizes('cascade-rcnn-resnet50', [0.8, 1, 1.25]), [
    [1066, 640],
    [1333, 800],
    [1666, 1000],
  ]);
  assert.deepEqual(sizes('cascade-rcnn-resnet101-zoo', [1]), [[1280, 768]]);
});

/** Finds a box of 8 × 8 in the corner of whatever picture it gets. */
const corner: PictureModel = async () => tensorsOf([[0, 0, 0.5, [0, 0, 8, 8]]]);

for (const [model, width, right] of [
  ['refinedet-vgg16-320', 640, [632, 0, 640, 8]],
  ['refinedet-vgg16-320-zoo', 640, [632, 0, 640, 8]],
  ['cascade-rcnn-resnet50', 640, [632, 0, 640, 8]],
  // Boxes end at the last pixel of the canvas, which is half a pixel of a picture that is enlarged twice.
  ['cascade-rcnn-resnet101-zoo', 640, [631.5, 0, 639.5, 8]],
  ['cascade-rcnn-resnet101-zoo', 1280, [1271, 0, 1279, 8]],
] as const) {
  test(`${model}: boxes of a mirrored picture of ${width} pixels`, async () => {
    const look = withTestTime([corner], modelRecipe(model, 3), { flip: true });
    const height = (width / 5) * 3;
    const data = new Uint8Array(width * height * 3);
    const rows = rowsOf(await look({ dtype: 'uint8', shape: [1, height, width, 3], data }));
    const expected: Row[] = [
      [0, 0, 0.5, [0, 0, 8, 8]],
      [0, 0, 0.5, right],
    ];
    assert.deepEqual(rows, expected);
  });
}

test('scales that make no sense are refused before anything runs', async (t) => {
  const path = await tinyModelFile(t);
  for (const [scales, message] of [
    [[], /scales is empty/],
    [[0], /scale is 0, expected a number above 0 and at most 4/],
    [[1, -1], /scale is -1/],
    [[Number.NaN], /scale is NaN/],
    [[4.5], /scale is 4.5/],
    [['2'], /scale is 2/],
  ] as const) {
    await assert.rejects(
      Detector.load(path, { testTime: { scales: scales as unknown as number[] } }),
      fails('config', message),
    );
  }
  const zoo = modelRecipe('cascade-rcnn-resnet101-zoo', 3);
  assert.throws(() => scaledRecipes(zoo, { scales: [0.8] }), fails('config', /1280×768.*scaled by 0.8.*flip/));
});

test('an exported file looks both ways, but in one size', async (t) => {
  const path = await tinyModelFile(t);
  const onnx = join(await temporaryFolder(t), 'tiny.onnx');
  await exportOnnx(path, onnx, { fold: false });
  const picture = pixels(90, 70);
  const flip = { flip: true, scales: [1] };
  assertSameDetections(await found(onnx, picture, flip), await found(path, picture, flip), 90);
  await assert.rejects(Detector.load(onnx, { testTime: { scales: [1, 2] } }), fails('config', /tiny\.onnx.*no scales/));
  await exportOnnx(path, onnx, { nmsThreshold: 0.75, force: true });
  assert.equal(sourceRecipe(await openModel(onnx)).postprocess.nms, 0.75, 'merged as it was exported');
});

test('a signal and an end stop a detector that looks several times', async (t) => {
  const detector = await Detector.load(await tinyModelFile(t), { testTime: { flip: true, scales: [1, 2] } });
  const abort = new AbortController();
  const stream = detector.stream(
    Array.from({ length: 50 }, () => pixels(64, 64)),
    { signal: abort.signal },
  );
  await stream.next();
  abort.abort();
  await assert.rejects(stream.next(), fails('aborted', /stopped/));
  assert.equal((await detector.detect(pixels(64, 64))).width, 64, 'the detector itself goes on');
  const pending = detector.detect(pixels(640, 480));
  await Promise.all([assert.rejects(pending, fails('engine', /disposed/)), detector.dispose()]);
});

test('a cascade stops behind a stage, and what comes after has no part in it', async (t) => {
  const whole = cascadeCheckpoint();
  const path = await tinyModelFile(t, whole);
  const picture = pixels(90, 70);
  const upTo = async (file: string, stage?: number) => {
    await using detector = await Detector.load(file, { stage, minScore: 0 });
    return (await detector.detect(picture)).detections;
  };
  const results = [await upTo(path, 1), await upTo(path, 2), await upTo(path, 3), await upTo(path)];
  for (const [i, detections] of results.entries()) {
    assert.ok(detections.length > 5, `${detections.length} detections`);
    for (const other of results.slice(0, i)) assert.notDeepEqual(detections, other);
    if (i === 3) continue;
    const parameters = new Map([...whole.parameters].filter(([name]) => !(stageOf(name) > i + 1)));
    assert.ok(i === 2 || parameters.size < whole.parameters.size);
    assert.deepEqual(await upTo(await tinyModelFile(t, { ...whole, parameters }), i + 1), detections);
  }
});

test('a stage and several looks go together', async (t) => {
  const path = await tinyModelFile(t, cascadeCheckpoint());
  const picture = pixels(90, 70);
  const options = { stage: 1, minScore: 0 };
  await using plain = await Detector.load(path, options);
  await using one = await Detector.load(path, { ...options, testTime: { scales: [1] } });
  const { detections } = await plain.detect(picture);
  assert.deepEqual((await one.detect(picture)).detections, detections);
  await using more = await Detector.load(path, { ...options, testTime: { scales: [1.5] } });
  assert.notDeepEqual((await more.detect(picture)).detections, detections);
});

test('stages that are not there are refused', async (t) => {
  const cascade = await tinyModelFile(t, tinyCheckpoint('cascade-rcnn-tiny'));
  for (const stage of [0, 4, 1.5, Number.NaN]) {
    await assert.rejects(
      Detector.load(cascade, { stage }),
      fails('config', /no stage \S+: the cascade has stages 1 to 3/),
    );
  }
  const refinedet = await tinyModelFile(t);
  await assert.rejects(Detector.load(refinedet, { stage: 1 }), fails('config', /refinedet-tiny-64 has no stages/));
  const onnx = join(await temporaryFolder(t), 'tiny.onnx');
  await exportOnnx(cascade, onnx);
  await assert.rejects(Detector.load(onnx, { stage: 2 }), fails('config', /exported file cannot stop at stage 2/));
});
