import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine, type State } from '../../src/engine/engine.js';
import { constant, input, type Tensor } from '../../src/graph/index.js';
import { detectCascade } from '../../src/models/cascade-rcnn/postprocess.js';
import { evaluationGraph } from '../../src/models/model.js';
import { readGolden } from '../golden.js';
import { needs, shared } from '../shared.js';
import { compareFound, type Found, foundIn, inOrder, recordedResult } from './cascade-zoo-detections.js';
import { canvas, folder, type Gains, sampledIn, zooWeights } from './cascade-zoo-golden.js';
import {
  ownRois,
  pictures,
  recipe,
  recordedPictures,
  recordedRois,
  recordedScales,
  rois,
  stepByStep,
} from './cascade-zoo-inference.js';
import { Errors, sample, worstError } from './closeness.js';
import { fast, float32, reference, runOnce } from './graph-session.js';
import { readJson } from './zoo-golden.js';

interface Inference {
  readonly gains: Gains;
  readonly detections: { image_id: number; bbox: number[]; score: number; category_id: number }[];
  readonly category_ids: number[];
}

let engine: Engine;
let weights: State;
let golden: ReadonlyMap<string, Tensor>;
let record: Inference;
const network = stepByStep();
before(async () => {
  if (!shared(folder)) return;
  golden = (await readGolden('cascade-rcnn-zoo/inference.safetensors')).tensors;
  record = await readJson<Inference>(`${folder}/inference.json`);
  engine = await Engine.start({ threads: 2 });
  weights = await engine.createState(zooWeights(network.p.specs.values(), record.gains));
});
after(() => engine?.dispose());

const floats = ({ data }: Tensor) => data as Float32Array;

for (const target of [reference, fast]) {
  test(`every step on recorded inputs is the zoo's, ${target.form} form`, needs(folder), async (t) => {
    const { images } = recordedPictures(golden);
    const results = await runOnce(engine, network.outputs, { images, ...recordedRois(golden) }, target, weights);
    const errors = new Errors();
    for (const [name, tensor] of Object.entries(results)) {
      const whole = golden.get(name);
      if (golden.has(`${name}.sample`)) {
        const { shape, step, values, scale } = sampledIn(golden, name);
        assert.deepEqual(tensor.shape, shape);
        errors.add(name, worstError(sample(tensor, step, values.length), values, scale));
      } else if (whole?.dtype === 'float32') {
        errors.add(name, worstError(floats(name === 'rpn0.reg' ? everyFourth(tensor) : tensor), floats(whole)));
      }
    }
    t.diagnostic(`${errors}`);
    assert.equal(errors.count, 10 + 10 + 5 * 3 + 2 * 2, 'taps, RPN, stages, what goes from one to the next');
    errors.assertBelow(1e-4, 'outputs');

    assert.deepEqual(results.proposal_mask.data, golden.get('proposal_mask')!.data);
    const proposed = floats(golden.get('proposals')!);
    const column = (from: number, count: number) =>
      new Float32Array(pictures * rois * count).map((_, i) => proposed[5 * Math.floor(i / count) + from + (i % count)]);
    const own = [
      worstError(floats(results['proposals.boxes']), column(0, 4), 10),
      worstError(floats(results['proposals.scores']), column(4, 1)),
    ];
    t.diagnostic(`proposals and scores: ${own.map((error) => error.toExponential(2)).join(', ')}`);
    assert.ok(own.every((error) => error < 1e-4));
  });
}

/** `[:, :, ::4, ::4]` */
function everyFourth({ data, shape: [n, channels, height, width] }: Tensor): Tensor {
  const values: number[] = [];
  for (let plane = 0; plane < n * channels; plane++)
    for (let y = 0; y < height; y += 4)
      for (let x = 0; x < width; x += 4) values.push(data[(plane * height + y) * width + x] as number);
  return float32([n, channels, height / 4, width / 4], Float32Array.from(values));
}

/** What the zoo's evaluation writes, x2 and y2 being the last pixels inside. */
function recordedDetections(): Found[] {
  return inOrder(
    record.detections.map(({ image_id, category_id, score, bbox: [x, y, width, height] }) => ({
      picture: image_id - 1,
      label: record.category_ids.indexOf(category_id),
      score,
      box: [x, y, x + width - 1, y + height - 1],
    })),
  );
}

test("detections from the recorded last stage are the zoo's", needs(folder), async (t) => {
  const rows = [pictures, rois];
  const result = {
    cls: input('cls', 'float32', [...rows, 81]),
    reg: input('reg', 'float32', [...rows, 81, 4]),
  };
  const last = { boxes: input('rois3', 'float32', [...rows, 4]), valid: input('valid', 'bool', rows) };
  const { width, height } = canvas;
  const size = constant('float32', [1, 1, 4], Float32Array.of(width, height, width, height));
  const limits = { canvas: size, picture: size };
  const scales = input('scales', 'float32', [pictures, 1, 4]);
  const outputs = detectCascade(recipe, { results: [result, result, result], rois: last }, limits, scales);
  const feeds = {
    cls: { ...golden.get('stage3.cls_logits')!, shape: [...rows, 81] },
    reg: { ...golden.get('stage3.box_deltas')!, shape: [...rows, 81, 4] },
    rois3: recordedRois(golden).rois3,
    valid: golden.get('proposal_mask')!,
    scales: recordedScales(golden),
  };
  const found = foundIn(await runOnce(engine, { ...outputs }, feeds, reference));
  const errors = compareFound(found, recordedResult(golden));
  t.diagnostic(`${errors}`);
  errors.assertBelow(1e-5, 'detections');
  compareFound(found, recordedDetections()).assertBelow(1e-5, 'what evaluation writes');
});

/**
 * RoIs of the free run whose float16 rounding went the other way. Only rows that the record has next to a rounding point
 * may; all others have to be the recorded ones.
 */
async function turnedRows(): Promise<number> {
  const { images } = recordedPictures(golden);
  const own = await runOnce(engine, ownRois(), { images }, reference, weights);
  const recorded = recordedRois(golden);
  let turned = 0;
  for (const stage of [1, 2]) {
    const name = `rois${stage + 1}`;
    const near = golden.get(`stage${stage}.near_half_step`)!.data;
    for (let row = 0; row < pictures * rois; row++) {
      const [actual, expected] = [own, recorded].map((of) => floats(of[name]).subarray(4 * row, 4 * row + 4));
      if (worstError(actual, expected, 10) < 1e-4) continue;
      assert.ok(near[row], `${name}, row ${row}: ${actual}, expected ${expected}`);
      turned++;
    }
  }
  return turned;
}

test('the whole detector, left to itself, finds what the zoo finds', needs(folder), async (t) => {
  const turned = await turnedRows();
  const { outputs } = evaluationGraph(recipe);
  const results = await runOnce(engine, { ...outputs }, recordedPictures(golden), reference, weights);
  const errors = compareFound(foundIn(results), recordedResult(golden));
  t.diagnostic(`${errors}; RoIs that were rounded the other way: ${turned}`);
  // One step of float16 is a quarter of a pixel here.
  errors.assertBelow(turned ? 1e-2 : 1e-4, 'detections');
});
