// Both cards from end to end: a file of MindSpore's format and names, as large as the real one, is served, pulled by a
// card, loaded, and finds what the zoo's own network is recorded to find. Its weights are those of the goldens.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { input, type Tensor } from '../../src/graph/index.js';
import { elementCount } from '../../src/graph/tensor.js';
import { readCard } from '../../src/hub/index.js';
import { evaluationGraph } from '../../src/models/model.js';
import { detectRefineDet } from '../../src/models/refinedet/postprocess.js';
import { zooRefineDet } from '../../src/models/refinedet/recipes.js';
import { Detector } from '../../src/predict/detector.js';
import { openModel } from '../../src/predict/model-source.js';
import { writeMindspore } from '../../src/weights/formats/mindspore-writer.js';
import { runCli } from '../cli/run-cli.js';
import { readGolden } from '../golden.js';
import { numbersOf } from '../graph/harness.js';
import { compareFound, foundIn, recordedResult } from '../models/cascade-zoo-detections.js';
import { folder as cascadeFolder, zooValues as cascadeValues, type Gains } from '../models/cascade-zoo-golden.js';
import { recordedPictures, recipe as smallCascade } from '../models/cascade-zoo-inference.js';
import { float32, reference, runOnce } from '../models/graph-session.js';
import { readJson, folder as refineDetFolder, zooValues as refineDetValues } from '../models/zoo-golden.js';
import { assertSameDetections } from '../predict/tiny-detector.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { cardFor, cardMarkdown, ownCache, sendFile, serve } from './file-server.js';

interface Listed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: string;
}

/** Tensors of a file of the zoo; what is no weight of the network is zero. */
function tensorsOf(
  listed: readonly Listed[],
  values: (listed: Listed) => Float32Array | undefined,
): Map<string, Tensor> {
  return new Map(
    listed.map((entry): [string, Tensor] => {
      const { name, shape, dtype = 'float32' } = entry;
      if (dtype === 'int32') return [name, { dtype, shape, data: new Int32Array(elementCount(shape)) }];
      return [name, { dtype: 'float32', shape, data: values(entry) ?? new Float32Array(elementCount(shape)) }];
    }),
  );
}

/** Serves the tensors as a checkpoint and gives the path of a card for it, as MindSpore Hub would write it. */
async function publish(t: TestContext, model: string, tensors: ReadonlyMap<string, Tensor>): Promise<string> {
  await ownCache(t);
  const folder = await temporaryFolder(t);
  const file = join(folder, 'published.ckpt');
  await writeMindspore(file, tensors);
  const content = await readFile(file);
  await rm(file);
  const server = await serve(t, (request, response) => sendFile(request, response, content));
  const path = join(folder, 'card.md');
  const card = cardFor(`${server.url}/published.ckpt`, content, { trainedOn: 'coco2017' });
  await writeFile(path, cardMarkdown(card, model));
  t.diagnostic(`${model}: ${tensors.size} tensors, ${(content.length / 1e6).toFixed(0)} MB`);
  return path;
}

/** What RefineDet's head finds in the recorded outputs of the zoo's network. */
async function recordedRefineDet(height: number, width: number) {
  const { tensors } = await readGolden('refinedet-zoo/forward_vgg16-320.safetensors');
  const head = (name: string) => input(name, 'float32', tensors.get(name)!.shape as number[]);
  const names = { armLoc: 'arm_loc', armConf: 'arm_conf', odmLoc: 'odm_loc', odmConf: 'odm_conf' } as const;
  const heads = {
    armLoc: head(names.armLoc),
    armConf: head(names.armConf),
    odmLoc: head(names.odmLoc),
    odmConf: head(names.odmConf),
  };
  const outputs = detectRefineDet(zooRefineDet('vgg16', 320, 80), heads, input('sizes', 'float32', [1, 2]));
  // The zoo's detections do not hinge on the ARM's outputs (its gate never acts), so they are no inputs of the graph.
  const feeds = Object.fromEntries(['odm_loc', 'odm_conf'].map((name) => [name, tensors.get(name)!]));
  const engine = await Engine.start({ threads: 2 });
  try {
    const sizes = float32([1, 2], Float32Array.of(height, width));
    const found = await runOnce(engine, { ...outputs }, { ...feeds, sizes }, reference);
    const [labels, scores, boxes] = ['labels', 'scores', 'boxes'].map((name) => numbersOf(found[name]));
    return labels.map((labelIndex, i) => ({ labelIndex, score: scores[i], box: boxes.slice(4 * i, 4 * i + 4) }));
  } finally {
    await engine.dispose();
  }
}

test(
  'refinedet_coco2017: card, download, checkpoint with optimizer state, detections',
  needs(refineDetFolder),
  async (t) => {
    const { train } = await readJson<{ train: Listed[] }>(`${refineDetFolder}/parameters_vgg16-320.json`);
    const card = await publish(
      t,
      'RefineDet',
      tensorsOf(train, ({ name, shape }) => (name.startsWith('network.') ? refineDetValues(name, shape) : undefined)),
    );
    const { classes } = await readCard(card);
    const { tensors } = await readGolden('refinedet-zoo/preprocess_coco.safetensors');
    const { data, shape } = tensors.get('decoded') as Tensor<'uint8'>;
    const [height, width] = shape;
    const expected = await recordedRefineDet(height, width);
    assert.ok(expected.length > 0);
    t.diagnostic(`${expected.length} detections`);
    await using detector = await Detector.load(card, { minScore: 0 });
    assert.deepEqual([detector.model, detector.classes], ['refinedet-vgg16-320-zoo', classes]);
    const { detections } = await detector.detect({ data: data as Uint8Array, width, height, channels: 3 });
    assertSameDetections(detections, expected, width);

    // The command line, on the file of the same picture.
    const { file } = (await readJson<{ coco: { file: string } }>(`${refineDetFolder}/preprocess.json`)).coco;
    const { code, stdout, stderr } = await runCli(
      'detect',
      card,
      shared(`data/${file}`)!,
      '--json',
      '--min-score',
      '0',
    );
    assert.equal(code, 0, stderr);
    const found = (JSON.parse(stdout) as { detections: { box: number[]; label: string; score: number }[] }).detections;
    const indexed = found.map(({ label, ...rest }) => ({ ...rest, labelIndex: classes!.indexOf(label) }));
    assertSameDetections(indexed, expected, width);
  },
);

test('cascadercnn_coco2017: card, download, checkpoint, detections', needs(cascadeFolder), async (t) => {
  const { network } = await readJson<{ network: Listed[] }>(`${cascadeFolder}/parameters.json`);
  const { gains, files } = await readJson<{ gains: Gains; files: string[] }>(`${cascadeFolder}/inference.json`);
  const card = await publish(
    t,
    'CascadeRCNN',
    tensorsOf(network, ({ name, shape }) => cascadeValues(name, shape, gains)),
  );
  // The record is of a smaller canvas and fewer proposals than the model has: the same weights in that configuration.
  const source = await openModel(card);
  assert.ok(source.kind === 'checkpoint');
  const { model, parameters } = source.checkpoint;
  assert.equal(model, 'cascade-rcnn-resnet101-zoo');
  const { tensors: golden } = await readGolden('cascade-rcnn-zoo/inference.safetensors');
  const engine = await Engine.start({ threads: 2 });
  try {
    const state = await engine.createState(Object.fromEntries(parameters));
    const { outputs } = evaluationGraph(smallCascade);
    const results = await runOnce(engine, { ...outputs }, recordedPictures(golden), reference, state);
    const errors = compareFound(foundIn(results), recordedResult(golden));
    t.diagnostic(`${errors}`);
    // RoIs next to a rounding point of float16 may go the other way, a quarter of a pixel.
    errors.assertBelow(1e-2, 'detections');
  } finally {
    await engine.dispose();
  }
  // The model as it is, through the public path.
  await using detector = await Detector.load(card, { minScore: 0 });
  const { detections, width, height } = await detector.detect(shared(`data/${files[0]}`)!);
  assert.ok(detections.length > 0);
  const scale = Math.min(1280 / width, 768 / height); // the zoo clips boxes to its canvas, not to the picture on it
  for (const { box, score } of detections) {
    const [x1, y1, x2, y2] = box;
    assert.ok(score > 0.05 && score <= 1);
    assert.ok(x1 >= 0 && y1 >= 0 && x2 >= x1 && y2 >= y1 && x2 <= 1280 / scale && y2 <= 768 / scale);
  }
});
