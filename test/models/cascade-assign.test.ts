import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipBoxes, decodeBoxes, encodeBoxes, toCentres } from '../../src/boxes/coder.js';
import { matchAnchors } from '../../src/boxes/matcher.js';
import { cast, gradient, input, reduceSum, sumOf, type Tensor } from '../../src/graph/index.js';
import { sampleStage } from '../../src/models/cascade-rcnn/assign.js';
import type { SamplingRecipe, StageRecipe } from '../../src/models/cascade-rcnn/recipe.js';
import { paperCascadeRcnn, zooCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { assertClose, columns, openGolden } from '../boxes/golden-arrays.js';
import { uniforms } from '../boxes/random-boxes.js';
import { numbersOf, runner } from '../graph/harness.js';
import { needs } from '../shared.js';

const paper = paperCascadeRcnn('resnet50', 80);
const zoo = zooCascadeRcnn(80);

/** What one picture brings to a stage. Labels count from 1; `keys` are of the boxes, padding included, then proposals. */
interface Picture {
  readonly proposals: Float32Array;
  readonly valid: readonly boolean[];
  readonly truth: Float32Array;
  readonly labels: readonly number[];
  readonly keys: readonly number[];
}

/** A picture's samples, without unused places. */
interface Chosen {
  readonly boxes: Float32Array;
  readonly labels: number[];
  readonly targets: Float32Array;
  readonly positives: number;
  /** Places of ground-truth boxes. */
  readonly truths: number[];
}

function inputs(batch: number, proposals: number, boxes: number) {
  return {
    proposals: {
      boxes: input('proposals', 'float32', [batch, proposals, 4]),
      valid: cast(input('counts', 'int32', [batch, proposals]), 'bool'),
    },
    truth: {
      boxes: input('truth', 'float32', [batch, boxes, 4]),
      labels: input('classes', 'int32', [batch, boxes]),
    },
    random: input('random', 'float32', [batch, boxes + proposals]),
  };
}

type Sizes = Pick<SamplingRecipe, 'samples' | 'positives'>;

/** Runs a stage's sampling on a batch with places for `most` ground-truth boxes. */
async function stageSampler(stage: StageRecipe, sizes: Sizes, batch: number, count: number, most: number) {
  const { proposals, truth, random } = inputs(batch, count, most);
  const samples = sampleStage({ ...paper.sampling, ...sizes }, stage, proposals, truth, random);
  const { boxes, labels, targets } = samples;
  const flags = { positive: samples.positive, valid: samples.valid, isTruth: samples.isTruth };
  const asNumbers = Object.entries(flags).map(([name, value]) => [name, cast(value, 'int32')]);
  const graph = await runner({ boxes, labels, targets, ...Object.fromEntries(asNumbers) });
  return async (pictures: readonly Picture[]): Promise<Chosen[]> => {
    assert.equal(pictures.length, batch);
    const results = await graph.run(feeds(pictures, count, most));
    assert.deepEqual(results.boxes.shape, [batch, sizes.samples, 4]);
    return pictures.map((_, i) => chosenOf(results, i, sizes.samples));
  };
}

function feeds(pictures: readonly Picture[], count: number, most: number): Record<string, Tensor> {
  const batch = pictures.length;
  const truth = new Float32Array(batch * most * 4);
  const labels = new Int32Array(batch * most);
  pictures.forEach((picture, i) => {
    truth.set(picture.truth, i * most * 4);
    labels.set(picture.labels, i * most);
    assert.deepEqual([picture.proposals.length, picture.keys.length], [count * 4, most + count]);
  });
  const rows = <T>(of: (picture: Picture) => Iterable<T>) => pictures.flatMap((picture) => [...of(picture)]);
  return {
    proposals: {
      dtype: 'float32',
      shape: [batch, count, 4],
      data: Float32Array.from(rows((picture) => picture.proposals)),
    },
    counts: { dtype: 'int32', shape: [batch, count], data: Int32Array.from(rows(({ valid }) => valid.map(Number))) },
    truth: { dtype: 'float32', shape: [batch, most, 4], data: truth },
    classes: { dtype: 'int32', shape: [batch, most], data: labels },
    random: { dtype: 'float32', shape: [batch, most + count], data: Float32Array.from(rows(({ keys }) => keys)) },
  };
}

function chosenOf(results: Record<string, Tensor>, picture: number, samples: number): Chosen {
  const part = (name: string, width = 1) =>
    numbersOf(results[name]).slice(picture * samples * width, (picture + 1) * samples * width);
  const [labels, positive, valid, isTruth] = ['labels', 'positive', 'valid', 'isTruth'].map((name) => part(name));
  const [boxes, targets] = ['boxes', 'targets'].map((name) => Float32Array.from(part(name, 4)));
  const used = valid.reduce((sum, flag) => sum + flag, 0);
  const positives = positive.reduce((sum, flag) => sum + flag, 0);
  const first = (count: number) => Array.from({ length: samples }, (_, place) => Number(place < count));
  assert.deepEqual(valid, first(used), 'used places come first');
  assert.deepEqual(positive, first(positives), 'positives come first');
  assert.ok([...boxes, ...targets].every(Number.isFinite), 'all is finite');
  assert.ok(
    labels.every((label, place) => label > 0 === Boolean(positive[place])),
    'positives have a class, all others have none',
  );
  assert.ok(targets.subarray(positives * 4).every((value) => value === 0));
  assert.ok(boxes.subarray(used * 4).every((value) => value === 0));
  return {
    boxes: boxes.slice(0, used * 4),
    labels: labels.slice(0, used),
    targets: targets.slice(0, positives * 4),
    positives,
    truths: isTruth.flatMap((flag, place) => (flag ? [place] : [])),
  };
}

/** Keys that fall with the place in `order`; candidates that are not in it come last. */
function keysOf(count: number, order: readonly number[]): number[] {
  const keys = new Array<number>(count).fill(0);
  order.forEach((candidate, place) => {
    keys[candidate] = 1 - (place + 1) / (count + 1);
  });
  return keys;
}

/** Keys by which the first candidates are chosen. */
const firstOnes = (count: number) =>
  keysOf(
    count,
    Array.from({ length: count }, (_, i) => i),
  );

/** The even choice of the paper's goldens. */
function evenly(candidates: readonly number[], count: number): readonly number[] {
  if (candidates.length <= count) return candidates;
  return Array.from({ length: count }, (_, j) => candidates[Math.floor((j * candidates.length) / count)]);
}

const rowsOf = (values: Float32Array, width: number, indices: readonly number[]) =>
  Float32Array.from(indices.flatMap((i) => [...values.subarray(i * width, (i + 1) * width)]));
const indicesWhere = (flags: readonly number[]) => flags.flatMap((flag, i) => (flag ? [i] : []));

for (const [stage, recipe] of zoo.stages.entries()) {
  const prefix = `stage${stage + 1}`;
  const zooPicture = (proposals: Float32Array, valid: number[], truth: Float32Array, labels: number[]): Picture => ({
    proposals,
    valid: valid.map(Boolean),
    truth,
    labels: labels.map((label) => Math.max(label, 0)),
    keys: firstOnes(256),
  });

  test(`the zoo's assignment and sampling, stage ${stage + 1}`, needs('golden/cascade-rcnn-zoo'), async () => {
    const golden = await openGolden('cascade-rcnn-zoo/assign_stages.safetensors');
    const [truth, proposals] = [golden.floats('gt'), golden.floats('boxes')];
    const picture = zooPicture(proposals, golden.integers('box_valid'), truth, golden.integers('gt_labels'));

    // With room for all, the samples are all candidates.
    const all = await stageSampler(recipe, { samples: 256, positives: 256 }, 1, 128, 128);
    const [whole] = await all([picture]);
    const positive = indicesWhere(golden.integers(`${prefix}.positive`));
    const negative = indicesWhere(golden.integers(`${prefix}.negative`));
    const list = Float32Array.of(...truth, ...proposals);
    assert.deepEqual(whole.boxes, rowsOf(list, 4, [...positive, ...negative]));
    assert.equal(whole.positives, positive.length);

    const some = await stageSampler(recipe, { samples: 96, positives: 32 }, 1, 128, 128);
    const [found] = await some([picture]);
    const used = indicesWhere(golden.integers(`${prefix}.out_mask`));
    assert.deepEqual(found.boxes, rowsOf(golden.floats(`${prefix}.out_boxes`), 4, used));
    const labels = golden.integers(`${prefix}.out_labels`);
    assert.deepEqual(
      found.labels,
      used.map((row) => labels[row]),
    );
    const targets = rowsOf(golden.floats(`${prefix}.out_deltas`), 4, used);
    assertClose(found.targets, targets.slice(0, found.positives * 4), 1e-4, 1e-5);
    assert.ok(targets.subarray(found.positives * 4).every((value) => value === 0));
  });

  test(`the zoo's training, stage ${stage + 1}`, needs('golden/cascade-rcnn-zoo'), async () => {
    const golden = await openGolden('cascade-rcnn-zoo/training.safetensors');
    const sample = await stageSampler(recipe, { samples: 96, positives: 32 }, 1, 128, 128);
    const [proposals, valid] = [golden.floats(`${prefix}.in_boxes`), golden.integers(`${prefix}.in_mask`)];
    const [found] = await sample([
      zooPicture(proposals, valid, golden.floats('gt_boxes'), golden.integers('gt_labels')),
    ]);
    const used = indicesWhere(golden.integers(`${prefix}.mask`));
    assert.deepEqual(found.boxes, rowsOf(golden.floats(`${prefix}.rois`), 4, used));
    const labels = golden.integers(`${prefix}.labels`);
    assert.deepEqual(
      found.labels,
      used.map((row) => labels[row]),
    );
    const targets = rowsOf(golden.floats(`${prefix}.targets`), 4, used);
    assertClose(found.targets, targets.slice(0, found.positives * 4), 1e-4, 1e-5);
    assert.deepEqual(found.truths, [0, 1, 2, 3]);
  });
}

for (const [stage, recipe] of paper.stages.entries()) {
  test(`mmdetection's assignment, stage ${stage + 1}`, needs('golden/cascade-rcnn-paper'), async () => {
    const golden = await openGolden('cascade-rcnn-paper/units.safetensors');
    const rows = golden.floats('assign.gt');
    const truth = columns(rows, 5, 0, 4);
    const classes = [...columns(rows, 5, 4, 1)];
    const proposals = golden.floats('assign.boxes');
    const owners = golden.integers(`assign.stage${stage}.gt_inds`);
    const [positive, negative] = [indicesWhere(owners), indicesWhere(owners.map((j) => Number(j === 0)))];
    assert.equal(positive.length + negative.length, 240);
    const sample = await stageSampler(recipe, { samples: 244, positives: 244 }, 1, 240, 4);
    const labels = classes.map((label) => label + 1);
    const [found] = await sample([
      { proposals, valid: new Array(240).fill(true), truth, labels, keys: firstOnes(244) },
    ]);
    assert.deepEqual(found.boxes, Float32Array.of(...truth, ...rowsOf(proposals, 4, [...positive, ...negative])));
    const recorded = golden.integers(`assign.stage${stage}.labels`);
    const expected = [...classes, ...positive.map((i) => recorded[i])].map((label) => label + 1);
    assert.deepEqual(found.labels, [...expected, ...negative.map(() => 0)]);
    assert.deepEqual(found.truths, [0, 1, 2, 3]);
  });

  test(`mmdetection's training, stage ${stage + 1}`, needs('golden/cascade-rcnn-paper'), async () => {
    const golden = await openGolden('cascade-rcnn-paper/train.safetensors');
    const count = stage === 0 ? 2000 : 512;
    const most = 5;
    const pictures = [0, 1].map((i): Picture => {
      const rows = golden.floats(`boxes_${i}`);
      const truth = columns(rows, 5, 0, 4);
      const labels = [...columns(rows, 5, 4, 1)].map((label) => label + 1);
      const proposals = stage === 0 ? golden.floats(`0.proposals.${i}`) : refinedRows(i);
      // The rows that are a box come first, and go out.
      const valid = Array.from({ length: count }, (_, row) => stage === 0 || row >= labels.length);
      const { box } = matchAnchors(proposals, truth, recipe.matcher);
      const candidates = (positive: boolean) =>
        valid.flatMap((counts, row) => (counts && box[row] >= 0 === positive ? [most + row] : []));
      const positives = evenly([...labels.keys(), ...candidates(true)], 128);
      const chosen = [...positives, ...evenly(candidates(false), 512 - positives.length)];
      return { proposals, valid, truth, labels, keys: keysOf(most + count, chosen) };
    });
    const sample = await stageSampler(recipe, { samples: 512, positives: 128 }, 2, count, most);
    const found = await sample(pictures);
    const rois = columns(golden.floats(`0.s${stage}.rois`), 5, 1, 4);
    assertClose(Float32Array.from(found.flatMap(({ boxes }) => [...boxes])), rois, 1e-5, 1e-4);
    assert.deepEqual(
      found.flatMap(({ labels }) => labels.map((label) => (label ? label - 1 : 80))),
      golden.integers(`0.s${stage}.labels`),
    );
    const targets = Float32Array.from(found.flatMap((own) => [...own.targets]));
    assertClose(targets, golden.floats(`0.s${stage}.pos_targets`), 1e-4, 2e-4);
    for (const [i, { truths }] of found.entries()) assert.deepEqual(truths, [...pictures[i].labels.keys()]);

    /** RoIs of the stage before where its deltas lead, all 512 of a picture. */
    function refinedRows(picture: number): Float32Array {
      const own = (values: Float32Array) => values.slice(picture * 512 * 4, (picture + 1) * 512 * 4);
      const before = own(columns(golden.floats(`0.s${stage - 1}.rois`), 5, 1, 4));
      const deltas = own(golden.floats(`0.s${stage - 1}.reg`));
      const decoded = decodeBoxes(deltas, toCentres(before), paper.stages[stage - 1].coder);
      return clipBoxes(decoded, 320, picture === 0 ? 240 : 229);
    }
  });
}

/** What `sampleStage` promises, on the host. */
function expectedSamples(
  { matcher, coder }: StageRecipe,
  { samples, positives }: Sizes,
  picture: Picture,
  most: number,
) {
  const { proposals, valid, truth, labels, keys } = picture;
  const real = [...labels.keys()].filter((j) => labels[j] > 0 && hasSides(truth.subarray(j * 4, j * 4 + 4)));
  const counting = valid.flatMap((counts, row) => (counts ? [row] : []));
  const { box } = matchAnchors(rowsOf(proposals, 4, counting), rowsOf(truth, 4, real), matcher);
  const owner = new Map(real.map((j) => [j, j] as const));
  const background: number[] = [];
  counting.forEach((row, k) => {
    if (box[k] >= 0) owner.set(most + row, real[box[k]]);
    else background.push(most + row);
  });
  const byKey = (list: Iterable<number>) => [...list].sort((a, b) => keys[b] - keys[a] || a - b);
  const first = byKey(owner.keys()).slice(0, positives);
  const chosen = [...first, ...byKey(background).slice(0, samples - first.length)];
  const boxAt = (i: number) => (i < most ? rowsOf(truth, 4, [i]) : rowsOf(proposals, 4, [i - most]));
  const boxes = Float32Array.from(chosen.flatMap((i) => [...boxAt(i)]));
  const references = toCentres(boxes.slice(0, first.length * 4), coder.plusOne);
  const own = first.map((i) => owner.get(i)!);
  return {
    boxes,
    labels: chosen.map((i) => (owner.has(i) ? labels[owner.get(i)!] : 0)),
    targets: encodeBoxes(rowsOf(truth, 4, own), references, coder),
    positives: first.length,
    truths: first.flatMap((i, place) => (i < most ? [place] : [])),
  };

  function hasSides(own: Float32Array): boolean {
    const extra = coder.plusOne ? 1 : 0;
    return own[2] - own[0] + extra > 0 && own[3] - own[1] + extra > 0;
  }
}

const side = 300;

/** A picture whose proposals lie around its boxes, or anywhere. */
function somePicture(uniform: () => number, boxes: number, count: number, most: number, hit: number): Picture {
  const anywhere = () => {
    const [width, height] = [4 + 100 * uniform(), 4 + 100 * uniform()];
    const [x, y] = [(side - width) * uniform(), (side - height) * uniform()];
    return [x, y, x + width, y + height];
  };
  const truth = Array.from({ length: boxes }, anywhere);
  const around = ([x1, y1, x2, y2]: number[]) => {
    const [width, height] = [x2 - x1, y2 - y1];
    const moved = () => 0.3 * (uniform() - 0.5);
    return [x1 + width * moved(), y1 + height * moved(), x2 + width * moved(), y2 + height * moved()];
  };
  const proposals = Array.from({ length: count }, () =>
    boxes > 0 && uniform() < hit ? around(truth[Math.floor(uniform() * boxes)]) : anywhere(),
  );
  return {
    proposals: Float32Array.from(proposals.flat()),
    valid: proposals.map(() => uniform() < 0.9),
    truth: Float32Array.from(truth.flat()),
    labels: truth.map(() => 1 + Math.floor(uniform() * 80)),
    // Few different keys, so that some are equal.
    keys: Array.from({ length: most + count }, () => Math.floor(uniform() * 64) / 64),
  };
}

const count = 120;
const odd: Readonly<Record<string, (picture: Picture) => Picture>> = {
  'as drawn': (picture) => picture,
  'no valid proposal': (picture) => ({ ...picture, valid: picture.valid.map(() => false) }),
  'no ground truth': (picture) => ({ ...picture, truth: new Float32Array(), labels: [] }),
  'nothing at all': (picture) => ({
    ...picture,
    valid: picture.valid.map(() => false),
    truth: new Float32Array(),
    labels: [],
  }),
  'a box over all of the picture': (picture) => ({
    ...picture,
    truth: Float32Array.of(0, 0, 1e5, 1e5, ...picture.truth.subarray(4)),
    proposals: Float32Array.of(0, 0, 1e5, 9e4, ...picture.proposals.subarray(4)),
  }),
  'proposals and boxes without sides, twins': (picture) => ({
    ...picture,
    // A box without sides is no box; a proposal without sides is background.
    truth: Float32Array.of(20, 20, 20, 20, 30, 30, 50, 50, 30, 30, 50, 50, ...picture.truth.subarray(12)),
    proposals: Float32Array.of(
      20,
      20,
      20,
      20,
      0,
      0,
      0,
      0,
      30,
      30,
      30,
      50,
      30,
      30,
      50,
      50,
      ...picture.proposals.subarray(16),
    ),
    valid: picture.valid.map((valid, row) => valid || row < 4),
  }),
  'every proposal twice': (picture) => ({
    ...picture,
    proposals: picture.proposals.map((_, i) => picture.proposals[8 * Math.floor(i / 8) + (i % 4)]),
  }),
  'all proposals one': (picture) => ({
    ...picture,
    proposals: picture.proposals.map((_, i) => picture.proposals[i % 4]),
  }),
};

for (const [family, { stages }] of Object.entries({ paper, zoo })) {
  for (const [boxes, most, sizes] of [
    [6, 8, { samples: 64, positives: 16 }],
    [200, 200, { samples: 64, positives: 48 }],
    [3, 4, { samples: 512, positives: 128 }],
  ] as const) {
    test(`sampling of a stage is the host's: ${family}, ${boxes} boxes, ${sizes.samples} places`, async () => {
      const uniform = uniforms(boxes + sizes.samples);
      const stage = stages[boxes === 6 ? 2 : 0];
      const sample = await stageSampler(stage, sizes, 2, count, most);
      for (const [what, change] of Object.entries(odd)) {
        for (const hit of [0.1, 0.9]) {
          const pictures = [0, 1].map(() => change(somePicture(uniform, boxes, count, most, hit)));
          const found = await sample(pictures);
          for (const [i, own] of found.entries()) {
            const { targets, ...expected } = expectedSamples(stage, sizes, pictures[i], most);
            const { targets: foundTargets, ...rest } = own;
            assert.deepEqual(rest, expected, `${what}, picture ${i}`);
            assertClose(foundTargets, targets, 1e-4, 1e-4);
          }
        }
      }
    });
  }
}

test('no gradient flows through sampled RoIs or their targets', async () => {
  const { proposals, truth, random } = inputs(1, 12, 3);
  const sizes = { samples: 8, positives: 4 };
  const samples = sampleStage({ ...paper.sampling, ...sizes }, paper.stages[0], proposals, truth, random);
  const total = sumOf([samples.boxes, samples.targets].map((value) => reduceSum(value)));
  const [slope] = gradient(total, [proposals.boxes]);
  const graph = await runner({ slope });
  const picture = somePicture(uniforms(3), 3, 12, 3, 0.9);
  const { slope: found } = await graph.run(feeds([picture], 12, 3));
  assert.ok(numbersOf(found).every((value) => value === 0));
});
