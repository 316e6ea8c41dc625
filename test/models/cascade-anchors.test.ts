import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.js';
import {
  type PyramidAnchorRecipe,
  pyramidAnchors,
  pyramidAnchorsGraph,
  pyramidMap,
} from '../../src/models/cascade-rcnn/anchors.js';
import { paperCascadeRcnn, zooCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { openGolden } from '../boxes/golden-arrays.js';
import { evaluate } from '../graph/harness.js';
import { needs } from '../shared.js';

const paper = paperCascadeRcnn('resnet50', 80).anchors;
const zoo = zooCascadeRcnn(80).anchors;
const canvas = { height: 160, width: 224 };

function onCanvas(recipe: PyramidAnchorRecipe, size: { height: number; width: number }): Float32Array[] {
  return recipe.strides.map((_, level) => pyramidAnchors(recipe, level, ...pyramidMap(recipe, level, size)));
}

test("mmdetection's anchors to the last bit", needs('golden/cascade-rcnn-paper'), async () => {
  const golden = await openGolden('cascade-rcnn-paper/units.safetensors');
  const bases = paper.strides.flatMap((_, level) => [...pyramidAnchors(paper, level, 1, 1)]);
  assert.deepEqual(Float32Array.from(bases), golden.floats('anchors.base'));
  onCanvas(paper, { height: 256, width: 320 }).forEach((anchors, level) => {
    assert.deepEqual(anchors, golden.floats(`anchors.${level}`), `level ${level}`);
  });
});

test("the zoo's 245 520 anchors to the last bit", needs('golden/cascade-rcnn-zoo'), async () => {
  const golden = await openGolden('cascade-rcnn-zoo/anchors.safetensors');
  const levels = onCanvas(zoo, { height: 768, width: 1280 });
  levels.forEach((anchors, level) => {
    assert.deepEqual(anchors.subarray(0, 12), golden.floats(`level${level}.base`));
    assert.deepEqual([anchors.length / 4], golden.integers(`level${level}.count`));
    const sample = anchors.filter((_, i) => Math.floor(i / 4) % 97 === 0);
    assert.deepEqual(sample, golden.floats(`level${level}.grid_every_97th`));
  });
  const count = levels.reduce((sum, { length }) => sum + length / 4, 0);
  assert.deepEqual([count], golden.integers('count'));
});

test('anchors run by row, column, ratio; a cell that has begun counts', () => {
  const recipe: PyramidAnchorRecipe = { strides: [4], scale: 2, ratios: [1, 4], base: 'corner' };
  assert.deepEqual(pyramidMap(recipe, 0, { height: 5, width: 8 }), [2, 2]);
  const square = [-4, -4, 4, 4];
  const tall = [-2, -8, 2, 8];
  const at = ([x1, y1, x2, y2]: number[], x: number, y: number) => [x1 + x, y1 + y, x2 + x, y2 + y];
  const cells = [
    [0, 0],
    [4, 0],
    [0, 4],
    [4, 4],
  ].flatMap(([x, y]) => [...at(square, x, y), ...at(tall, x, y)]);
  assert.deepEqual([...pyramidAnchors(recipe, 0, 2, 2)], cells);
});

test("the zoo's base boxes are rounded, halves to even", () => {
  // Centre 1, half a side 5: no rounding. A side of 12 makes the half side 5.5: −4.5 and 6.5.
  const recipe = (scale: number): PyramidAnchorRecipe => ({ strides: [3], scale, ratios: [1], base: 'zoo' });
  assert.deepEqual([...pyramidAnchors(recipe(11 / 3), 0, 1, 1)], [-4, -4, 6, 6]);
  assert.deepEqual([...pyramidAnchors(recipe(4), 0, 1, 1)], [-4, -4, 6, 6]);
});

for (const [name, recipe] of Object.entries({ paper, zoo })) {
  test(`anchors in the graph are the host's to the last bit: ${name}`, async () => {
    for (const [level, expected] of onCanvas(recipe, canvas).entries()) {
      const [rows, columns] = pyramidMap(recipe, level, canvas);
      const fixed = pyramidAnchorsGraph(recipe, level, input('map', 'float32', [2, 7, rows, columns]));
      assert.deepEqual(fixed.shape, [1, expected.length / 4, 4]);
      const map = {
        dtype: 'float32',
        shape: [2, 7, rows, columns],
        data: new Float32Array(14 * rows * columns),
      } as const;
      for (const free of [
        [2, 7, 'rows', 'columns'],
        ['batch', 7, rows, 'columns'],
      ]) {
        const { anchors } = await evaluate(
          { anchors: pyramidAnchorsGraph(recipe, level, input('map', 'float32', free)) },
          { map },
        );
        assert.deepEqual(anchors.shape, [1, expected.length / 4, 4]);
        assert.deepEqual(anchors.data, expected, `level ${level}`);
      }
      const { anchors } = await evaluate({ anchors: fixed });
      assert.deepEqual(anchors.data, expected, `level ${level}, fixed`);
    }
  });
}
