import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import sharp from 'sharp';
import { renderShapes } from '../../src/cli/demo/demo-data.js';
import { composeScene, sceneSvg } from '../../src/cli/demo/demo-scene.js';
import { visibleExtents } from '../../src/cli/demo/visible-extent.js';
import { randomStream } from '../../src/data/augment/random.js';
import { openDataset } from '../../src/data/open.js';
import { temporaryFolder } from '../temporary-folder.js';

const root = await temporaryFolder({ after });

const few = { pictures: { train: 10, val: 3 }, size: 96 };
const annotationsOf = (folder: string, part: string) =>
  readFile(join(folder, 'annotations', `instances_${part}.json`), 'utf8');

describe("the demo's data set", () => {
  test('is a COCO data set that the data reader opens', async () => {
    const folder = join(root, 'shapes');
    const counts: number[] = [];
    assert.equal(await renderShapes(folder, { ...few, onPicture: (done, total) => counts.push(done, total) }), true);
    assert.deepEqual(counts, [8, 13, 10, 13, 13, 13]);
    for (const [part, pictures] of [
      ['train', 10],
      ['val', 3],
    ] as const) {
      const dataset = await openDataset(folder, { part });
      assert.equal(dataset.images.length, pictures);
      assert.deepEqual(dataset.classes, ['circle', 'square', 'triangle', 'star']);
      assert.deepEqual(dataset.problems, []);
      for (const { objects, width, height } of dataset.images) {
        assert.deepEqual([width, height], [96, 96]);
        assert.ok(objects.length >= 1);
      }
    }
  });

  test('is not rendered again, unless it would be another', async () => {
    const folder = join(root, 'again');
    assert.equal(await renderShapes(folder, few), true);
    const before = await annotationsOf(folder, 'train');
    assert.equal(await renderShapes(folder, few), false);
    assert.equal(await annotationsOf(folder, 'train'), before);
    await assert.rejects(renderShapes(folder, { ...few, seed: 2 }), {
      code: 'data',
      message: /again: the data set there was rendered with .*"seed":1.*, not .*"seed":2.*remove it/,
    });
  });

  test('is the same for the same seed, to the last byte, and another for another', async () => {
    const [once, twice, other] = ['once', 'twice', 'other'].map((name) => join(root, name));
    await Promise.all([renderShapes(once, few), renderShapes(twice, few), renderShapes(other, { ...few, seed: 7 })]);
    for (const name of ['train/000001.jpg', 'train/000010.jpg', 'val/000003.jpg', 'annotations/instances_train.json']) {
      const [a, b, c] = await Promise.all([once, twice, other].map((folder) => readFile(join(folder, name))));
      assert.ok(a.equals(b), name);
      assert.ok(!a.equals(c), name);
    }
    const [train, val] = await Promise.all(['train', 'val'].map((part) => readFile(join(once, part, '000001.jpg'))));
    assert.ok(!train.equals(val), 'pictures to evaluate are not among those to train');
  });

  test('leaves nothing half-done behind, and what was there alone', async () => {
    const folder = join(root, 'taken');
    await mkdir(folder);
    await writeFile(join(folder, 'mine.txt'), 'mine');
    const names = await readdir(root);
    await assert.rejects(renderShapes(folder, few), { code: 'io', message: /cannot write .*taken/ });
    assert.deepEqual(await readdir(root), names);
    assert.deepEqual(await readdir(folder), ['mine.txt']);
    const failing = { ...few, onPicture: () => assert.fail('stop') };
    await assert.rejects(renderShapes(join(root, 'stopped'), failing));
    const stop = new AbortController();
    const stopping = { ...few, signal: stop.signal, onPicture: () => stop.abort() };
    await assert.rejects(renderShapes(join(root, 'stopped'), stopping), { code: 'aborted' });
    assert.ok(!existsSync(join(root, 'stopped')));
    assert.deepEqual(await readdir(root), names);
  });
});

/**
 * Bounds of the pixels that differ between two drawings by more than a quarter: boxes are taken with four rows a pixel, and
 * what is seen of a shape between two others may be a thinner sliver.
 */
async function differingBounds(a: string, b: string, size: number) {
  const pixels = (svg: string) => sharp(Buffer.from(svg)).flatten({ background: '#808080' }).raw().toBuffer();
  const [first, second] = await Promise.all([pixels(a), pixels(b)]);
  const bounds = [size, size, 0, 0];
  for (let i = 0; i < first.length; i++) {
    if (Math.abs(first[i] - second[i]) <= 64) continue;
    const [x, y] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size)];
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x + 1);
    bounds[3] = Math.max(bounds[3], y + 1);
  }
  return bounds;
}

test('boxes go around what is seen of each shape', async () => {
  const size = 160;
  let compared = 0;
  for (let picture = 0; picture < 25; picture++) {
    const scene = composeScene(randomStream(3, 0, picture), size);
    const bare = { ...scene, clutter: [] };
    for (const [i, shape] of scene.shapes.entries()) {
      const paint = (colour: string) => ({
        ...bare,
        shapes: scene.shapes.map((other, j) => ({
          ...other,
          colours: j === i ? ([colour, colour] as const) : (['#888', '#888'] as const),
        })),
      });
      const bounds = await differingBounds(sceneSvg(paint('#000'), size), sceneSvg(paint('#fff'), size), size);
      for (let side = 0; side < 4; side++) {
        // A tip covers little of its pixel, which then hardly differs: up to two pixels at a star's or triangle's.
        const gap = Math.abs(bounds[side] - shape.seen.box![side]);
        assert.ok(gap <= 2, `picture ${picture}, shape ${i}: drawn ${bounds}, box ${shape.seen.box}`);
      }
      compared++;
    }
  }
  assert.ok(compared > 50);
});

describe('visible extents', () => {
  const square = (x1: number, y1: number, x2: number, y2: number) => Float64Array.of(x1, y1, x2, y1, x2, y2, x1, y2);
  const close = (found: readonly number[] | undefined, expected: readonly number[]) => {
    assert.ok(
      found?.every((value, i) => Math.abs(value - expected[i]) < 1e-4),
      `${found}, expected ${expected}`,
    );
  };

  test('are cut at the edges of the picture', () => {
    const [{ box, area }] = visibleExtents([square(-5, 4.3, 3, 20)], 10, 4);
    close(box, [0, 4.3, 3, 10]);
    assert.ok(Math.abs(area - 3 * 5.7) < 0.4);
  });

  test('leave out what lies under a later polygon', () => {
    const [first, second] = visibleExtents([square(1, 1, 7, 5), square(4, 0, 9, 6)], 10, 4);
    close(first.box, [1, 1, 4, 5]);
    assert.ok(Math.abs(first.area - 12) < 1e-6);
    close(second.box, [4, 0, 9, 6]);
    const [hole] = visibleExtents([square(1, 1, 9, 9), square(3, 3, 6, 6)], 10, 4);
    close(hole.box, [1, 1, 9, 9]);
    assert.ok(Math.abs(hole.area - 55) < 1e-6);
  });

  test('are none for what is hidden or outside', () => {
    const [hidden, , outside] = visibleExtents([square(2, 2, 3, 3), square(1, 1, 9, 9), square(20, 20, 30, 30)], 10, 4);
    assert.deepEqual(hidden, { box: undefined, area: 0 });
    assert.deepEqual(outside, { box: undefined, area: 0 });
  });

  test('reach to the very corner of a polygon', () => {
    const [{ box }] = visibleExtents([Float64Array.of(5, 0.123, 8.77, 5.01, 4, 9.31)], 10, 1);
    close(box, [4, 0.123, 8.77, 9.31]);
  });
});
