import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  constant,
  filled,
  gradient,
  input,
  int64s,
  type RoiAlignOptions,
  reduceSum,
  roiAlign,
  roiAlignLevels,
  type Tensor,
  topological,
  type Value,
} from '../../src/graph/index.js';
import { readGolden } from '../golden.js';
import { needs } from '../shared.js';
import {
  checkGradient,
  checkShapes,
  evaluate,
  floats,
  integers,
  numbersOf,
  pseudo,
  referenceTarget,
} from './harness.js';

/** Three RoIs each, on maps of 6 × 8 pixels or of what the scale makes of them. */
const rois = {
  inside: [1, 1, 9, 7, 2.5, 0.5, 6.5, 7.5, 0, 0, 15, 11],
  'reaching outside': [-6, -4, 5, 5, 10, 8, 30, 40, -3, 2, 40, 3],
  'wholly outside': [-30, -30, -10, -10, 100, 100, 120, 110, 3, 3, 9, 9],
  'of size zero': [5, 5, 5, 5, 3, 2, 3, 8, 15.9, 11.9, 15.9, 11.9],
  'less than a pixel': [5, 5, 5.1, 5.2, 6.9, 2, 7.1, 2.4, 0.1, 0.1, 0.2, 0.3],
  'over the whole map and thin': [-40, 5, 60, 5.5, 3.2, -50, 3.9, 70, -90, -90, 90, 90],
  'with bins of little more than a pixel': [1, 1, 7.3, 5.2, 2.1, 0.3, 8.2, 4.4, 7.7, 6.6, 13.9, 10.7],
  'thrice the same': [2, 3, 9, 8, 2, 3, 9, 8, 2, 3, 9, 8],
  'with corners exchanged': [9, 7, 1, 1, 9, 1, 1, 7, 1, 7, 9, 1], // which the runtime takes unless sampling is adaptive
};
const alignments: Record<string, RoiAlignOptions> = {
  'aligned, 2 points': { size: [2, 3], sampling: 2, scale: 0.5 },
  'aligned, 1 point': { size: [3, 2], sampling: 1, scale: 0.5, aligned: true },
  'aligned, 3 points': { size: [1, 1], sampling: 3, scale: 0.25 },
  'aligned, adaptive': { size: [2, 3], sampling: 0, scale: 0.5 },
  'aligned, adaptive, unscaled': { size: [1, 2], sampling: 0, scale: 1 },
  'not aligned, 2 points': { size: [2, 2], sampling: 2, scale: 0.5, aligned: false },
  'not aligned, 1 point, unscaled': { size: [1, 4], sampling: 1, scale: 1, aligned: false },
  'not aligned, adaptive': { size: [2, 2], sampling: 0, scale: 0.5, aligned: false },
  'unshifted, 2 points': { size: [2, 2], sampling: 2, scale: 0.5, aligned: 'unshifted' },
  'unshifted, adaptive': { size: [2, 2], sampling: 0, scale: 0.5, aligned: 'unshifted' },
};

for (const [place, numbers] of Object.entries(rois)) {
  for (const [name, options] of Object.entries(alignments)) {
    if (place === 'with corners exchanged' && options.sampling === 0) continue;
    test(`RoIAlign gradient: ${name}, rois ${place}`, () =>
      checkGradient({
        name: `${name}, ${place}`,
        inputs: { x: [2, 3, 6, 8], rois: floats([3, 4], numbers), pictures: integers([3], [1, 0, 1]) },
        build: (v) => roiAlign(v.x, v.rois, v.pictures, options),
        step: 1, // RoIAlign is linear in the map
        tolerance: 1e-3,
      }));
  }
}

test('RoIAlign samples between pixel centres as Mask R-CNN and PyTorch do', async () => {
  // On a map that is linear in x and y, a bin's mean is the map at the bin's centre.
  const [h, w] = [8, 10];
  const map = Float32Array.from({ length: h * w }, (_, i) => 3 * Math.floor(i / w) + (i % w));
  const x = constant('float32', [1, 1, h, w], map);
  const boxes = constant('float32', [1, 4], Float32Array.of(4, 4, 12, 12));
  const picture = int64s([0]);
  const results = await evaluate({
    aligned: roiAlign(x, boxes, picture, { size: [2, 2], sampling: 2, scale: 0.5 }),
    legacy: roiAlign(x, boxes, picture, { size: [2, 2], sampling: 2, scale: 0.5, aligned: false }),
  });
  // The RoI is [2, 6] on the map, bins are centred at 3 and 5; pixel i has its centre at i + 0.5 where aligned.
  const at = (row: number, column: number) => 3 * row + column;
  assert.deepEqual(numbersOf(results.aligned), [at(2.5, 2.5), at(2.5, 4.5), at(4.5, 2.5), at(4.5, 4.5)]);
  assert.deepEqual(numbersOf(results.legacy), [at(3, 3), at(3, 5), at(5, 3), at(5, 5)]);
});

/** A batch of maps [2, 3, h, w] of three levels and RoIs of both pictures on levels 2 and 0: level 1 has none. */
const pyramid = {
  maps: [
    [12, 16],
    [6, 8],
    [3, 4],
  ].map(([h, w], i) => ({ dtype: 'float32', shape: [2, 3, h, w], data: pseudo(6 * h * w, i + 1) }) satisfies Tensor),
  rois: floats([5, 4], [1, 1, 9, 7, 0, 0, 60, 44, 2.5, 0.5, 6.5, 7.5, -6, -4, 5, 5, 8, 8, 50, 60]),
  pictures: [1, 0, 1, 0, 0],
  levels: [0, 2, 0, 0, 2],
  scales: [1 / 4, 1 / 8, 1 / 16],
};

for (const sampling of [0, 2])
  for (const aligned of [true, false, 'unshifted'] as const)
    test(`RoIAlign on levels gives each RoI its own map: sampling ${sampling}, aligned ${aligned}`, async () => {
      const { maps, rois, pictures, levels, scales } = pyramid;
      const values = maps.map(({ shape, data }) => constant('float32', shape, data));
      const boxes = constant('float32', rois.shape, rois.data);
      const options = { size: [2, 3], sampling, aligned } as const;
      const all = roiAlignLevels(values, boxes, int64s(pictures), int64s(levels), { ...options, scales });
      const each = Object.fromEntries(
        levels.map((level, i) => {
          const box = constant('float32', [1, 4], rois.data.slice(4 * i, 4 * i + 4));
          return [i, roiAlign(values[level], box, int64s([pictures[i]]), { ...options, scale: scales[level] })];
        }),
      );
      const results = await evaluate({ all, ...each });
      assert.deepEqual(
        numbersOf(results.all),
        levels.flatMap((_, i) => numbersOf(results[i])),
      );
    });

for (const sampling of [0, 1, 2])
  test(`RoIAlign gradient on levels, one of them empty: sampling ${sampling}`, () => {
    const { maps, rois, pictures, levels, scales } = pyramid;
    return checkGradient({
      name: `levels, sampling ${sampling}`,
      inputs: { map0: maps[0].shape, map1: maps[1].shape, map2: maps[2].shape, rois },
      build: ({ map0, map1, map2, rois: boxes }) =>
        roiAlignLevels([map0, map1, map2], boxes, int64s(pictures), int64s(levels), { size: [2, 3], sampling, scales }),
      step: 1,
      tolerance: 1e-3,
    });
  });

test('RoIAlign: the gradient flows to the maps, of all levels at once, and not to the boxes', async () => {
  const { maps, rois, pictures, levels, scales } = pyramid;
  const values = maps.map(({ shape }, i) => input(`map${i}`, 'float32', shape));
  const boxes = input('rois', 'float32', rois.shape);
  const options = { size: [2, 3], sampling: 2, scales } as const;
  const loss = reduceSum(roiAlignLevels(values, boxes, int64s(pictures), int64s(levels), options));
  const wanted = gradient(loss, [values[1], boxes]);
  const written = topological(wanted).filter((node) => node.operator.type === 'RoiAlignGradient');
  assert.deepEqual(
    written.map((node) => node.outputs.map((output) => output.shape)),
    [maps.map(({ shape }) => shape)],
  );
  const [dBoxes] = Object.values(await evaluate({ dBoxes: wanted[1] }));
  assert.deepEqual(numbersOf(dBoxes), Array(20).fill(0));
});

test('RoIAlign on levels: batch, sizes and the number of RoIs may be free, and there may be no RoI', async () => {
  const maps = [0, 1].map((i) => input(`map${i}`, 'float32', ['batch', 3, `h${i}`, `w${i}`]));
  const [rois, pictures, levels] = [
    input('rois', 'float32', ['n', 4]),
    input('pictures', 'int64', ['n']),
    input('levels', 'int64', ['n']),
  ];
  const y = roiAlignLevels(maps, rois, pictures, levels, { size: [2, 2], sampling: 0, scales: [1 / 4, 1 / 8] });
  assert.deepEqual(y.shape, ['n', 3, 2, 2]);
  const some = {
    rois: pyramid.rois,
    pictures: integers([5], pyramid.pictures),
    levels: integers([5], [1, 1, 1, 1, 1]),
  };
  const none = { rois: floats([0, 4], []), pictures: integers([0], []), levels: integers([0], []) };
  for (const chosen of [some, none]) {
    const feeds = { map0: pyramid.maps[0], map1: pyramid.maps[1], ...chosen };
    assert.ok(await checkShapes({ y }, referenceTarget, feeds));
    assert.deepEqual((await evaluate({ y }, feeds)).y.shape, [chosen.rois.shape[0], 3, 2, 2]);
  }
});

/** |a - b| within a ten-thousandth of the largest b. */
function assertNear(found: Tensor, expected: Tensor | undefined, what: string): void {
  assert.ok(expected, what);
  assert.deepEqual(found.shape, expected.shape, what);
  const [a, b] = [numbersOf(found), numbersOf(expected)];
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  a.forEach((value, i) => {
    assert.ok(Math.abs(value - b[i]) <= 1e-4 * scale, `${what}[${i}]: ${value} against ${b[i]}`);
  });
}

/** RoIs [n, 5] with the picture's index first, as graph constants. */
function roisAndPictures({ shape: [count], data }: Tensor) {
  const rows = Array.from({ length: count }, (_, i) => Array.from(data.slice(5 * i, 5 * i + 5), Number));
  return {
    rois: constant('float32', [count, 4], Float32Array.from(rows.flatMap((row) => row.slice(1)))),
    pictures: int64s(rows.map(([picture]) => picture)),
  };
}

const constantOf = ({ shape, data }: Tensor) => constant('float32', shape, data as Float32Array);

const zoo = 'cascade-rcnn-zoo/roi_align.safetensors';
test('RoIAlign as MindSpore does it', needs(`golden/${zoo}`), async () => {
  const { tensors } = await readGolden(zoo);
  const { rois, pictures } = roisAndPictures(tensors.get('rois')!);
  // Its RoIs end one pixel behind their far corner.
  const ends = constant('float32', [1, 4], Float32Array.of(0, 0, 1, 1));
  const maps = ['p2', 'p3'].map((name) => constantOf(tensors.get(`features.${name}`)!));
  const pooled = (level: number) =>
    roiAlignLevels(maps, add(rois, ends), pictures, filled(level, 'int64', [rois.staticShape[0]]), {
      size: [7, 7],
      sampling: 2,
      scales: [1 / 4, 1 / 8],
      aligned: 'unshifted',
    });
  const results = await evaluate({ p2: pooled(0), p3: pooled(1) });
  for (const name of ['p2', 'p3']) assertNear(results[name], tensors.get(`out.${name}`), name);
});

const paper = 'cascade-rcnn-paper/units.safetensors';
test('RoIAlign as mmdetection does it', needs(`golden/${paper}`), async () => {
  const { tensors } = await readGolden(paper);
  const { rois, pictures } = roisAndPictures(tensors.get('roi.rois')!);
  const maps = [0, 1, 2, 3].map((level) => constantOf(tensors.get(`roi.feat${level}`)!));
  const pooled = (levels: Value) =>
    roiAlignLevels(maps, rois, pictures, levels, { size: [7, 7], sampling: 0, scales: [1 / 4, 1 / 8, 1 / 16, 1 / 32] });
  const own = int64s(numbersOf(tensors.get('roi.levels')!));
  const all = (level: number) => filled(level, 'int64', own.staticShape);
  const results = await evaluate({ pooled: pooled(own), level0: pooled(all(0)), level1: pooled(all(1)) });
  for (const name of Object.keys(results)) assertNear(results[name], tensors.get(`roi.${name}`), name);
});
