import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { planAugmentation } from '../../src/data/augment/augment.js';
import { normaliseObjects } from '../../src/data/augment/objects.js';
import type { Random } from '../../src/data/augment/random.js';
import { paperPytorchAugmentation } from '../../src/data/augment/recipe.js';
import { renderPlaced } from '../../src/data/augment/render.js';
import { wholeRegion } from '../../src/data/resize.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { readGolden } from '../golden.js';
import { needs, shared } from '../shared.js';

type Draw = ['randint', number, number] | ['uniform', number, number, number] | ['choice', number, number];

/** The README's bound: the reference's float32 formulas agree with the recorded values to 1.3e-4 of 255. */
const PIXEL_TOLERANCE = 1.3e-4;

/** Plays back recorded draws and holds what is asked for against what was asked for then. */
function playBack(draws: readonly Draw[]) {
  let used = 0;
  const next = (kind: string, size?: number) => {
    const draw = draws[used++];
    assert.ok(draw, `more than the ${draws.length} recorded draws were taken`);
    assert.equal(draw[0], kind, `draw ${used - 1}`);
    if (size !== undefined) assert.equal(draw[1], size, `options of draw ${used - 1}`);
    return draw[draw.length - 1] as number;
  };
  const random: Random = {
    uniform: (low, high) => {
      const [, recordedLow, recordedHigh] = draws[used] as [string, number, number, number];
      // The reference draws a crop's corner between its slack and 1 instead of between 0 and its slack.
      const recorded = recordedHigh === 1 && low === 0 ? [0, recordedLow] : [recordedLow, recordedHigh];
      assert.deepEqual([low, high], recorded, `range of draw ${used}`);
      return next('uniform');
    },
    int: (n) => next('randint', n),
    choice: (n) => next('choice', n),
  };
  return { random, used: () => used };
}

/** Interleaved values with red and blue exchanged. */
function swapRedBlue<T extends Uint8Array | Float32Array>(pixels: T): T {
  const swapped = pixels.slice() as T;
  for (let i = 0; i < pixels.length; i += 3) {
    swapped[i] = pixels[i + 2];
    swapped[i + 2] = pixels[i];
  }
  return swapped;
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>, offset = (_: number) => 0): number {
  assert.equal(actual.length, expected.length);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) largest = Math.max(largest, Math.abs(actual[i] - offset(i) - expected[i]));
  return largest;
}

test(
  'the paper augmentation gives the recorded pictures and boxes from the recorded draws',
  needs('golden/refinedet-paper'),
  async () => {
    const { tensors } = await readGolden('refinedet-paper/augment.safetensors');
    const runs = JSON.parse(await readFile(shared('golden/refinedet-paper/augment.json') as string, 'utf8')) as {
      image: number;
      draws: Draw[];
    }[];
    assert.equal(runs.length, 8);
    const get = <T>(name: string) => tensors.get(name)?.data as T;
    const mean = paperPytorchAugmentation.expand?.fill as readonly number[];
    for (const [i, { image, draws }] of runs.entries()) {
      const [height, width] = (tensors.get(`image_${image}_u8_bgr`) as Tensor).shape;
      const picture = { data: swapRedBlue(get<Uint8Array>(`image_${image}_u8_bgr`)), width, height };
      const stored = get<Float64Array>(`boxes_${image}`);
      const boxes = new Float64Array((stored.length / 5) * 4);
      const labels = new Int32Array(stored.length / 5);
      for (let k = 0; k < labels.length; k++) {
        labels[k] = stored[k * 5 + 4];
        for (let side = 0; side < 4; side++)
          boxes[k * 4 + side] = stored[k * 5 + side] * (side % 2 === 0 ? width : height);
      }
      const { random, used } = playBack(draws);
      const plan = planAugmentation(paperPytorchAugmentation, picture, { boxes, labels }, random);
      assert.equal(used(), draws.length, `run ${i}: draws taken`);
      const { left, top, right, bottom } = plan.crop;
      const placed = normaliseObjects(plan.objects, right - left, bottom - top, plan.flip);
      assert.deepEqual(placed.boxes, get(`${i}.boxes`), `run ${i}: boxes`);
      assert.deepEqual(placed.labels, get(`${i}.labels`), `run ${i}: labels`);
      const photometric = new Float32Array(width * height * 3);
      const whole = { ...plan, left: 0, top: 0, crop: wholeRegion(picture), flip: false };
      renderPlaced(picture, whole, picture, photometric);
      const distortion = largestDifference(swapRedBlue(photometric), get<Float32Array>(`${i}.photometric`));
      assert.ok(distortion <= PIXEL_TOLERANCE, `run ${i}: photometric differs by ${distortion}`);
      const rendered = new Float32Array(64 * 64 * 3);
      renderPlaced(picture, plan, { width: 64, height: 64 }, rendered);
      const difference = largestDifference(
        swapRedBlue(rendered),
        get<Float32Array>(`${i}.image`),
        (k) => mean[2 - (k % 3)],
      );
      assert.ok(difference <= PIXEL_TOLERANCE, `run ${i}: picture differs by ${difference}`);
    }
  },
);
