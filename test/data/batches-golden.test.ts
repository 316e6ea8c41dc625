import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type Batch, BatchLoader, type BatchLoaderOptions, type Dataset, openDataset } from '../../src/data/index.js';
import { zooTargets } from '../../src/models/refinedet/targets.js';
import { readGolden } from '../golden.js';
import { needs, shared } from '../shared.js';

const resize = { kind: 'stretch', size: 320 } as const;

/** The one batch that holds the named pictures in this order. */
async function batchOf(
  dataset: Dataset,
  ids: readonly string[],
  more: Partial<BatchLoaderOptions> = {},
): Promise<Batch> {
  const images = ids.map((id) => dataset.images.find((image) => image.id === id) ?? assert.fail(`${id} is missing`));
  const options = {
    dataset: { ...dataset, images },
    batchSize: ids.length,
    resize,
    shuffle: false,
    workers: 1,
    ...more,
  };
  await using loader = new BatchLoader(options);
  for await (const batch of loader.epoch(0)) return batch;
  return assert.fail('no batch');
}

test('From VOC files to the batch that the paper reference trained on', needs('golden/refinedet-paper'), async () => {
  const { tensors } = await readGolden('refinedet-paper/train-320.safetensors');
  const json = await readFile(shared('golden/refinedet-paper/train-320.json') as string, 'utf8');
  const { images: ids } = JSON.parse(json) as { images: string[] };
  const dataset = await openDataset(shared('data/voc2012-100') as string);
  const { images, boxes, labels } = await batchOf(dataset, ids, { maxBoxes: 8 });
  assert.equal(Buffer.compare(images, tensors.get('image_u8_rgb')?.data as Uint8Array), 0);
  for (let i = 0; i < ids.length; i++) {
    const recorded = tensors.get(`boxes_${i}`)?.data as Float32Array;
    const count = recorded.length / 5;
    for (let k = 0; k < count; k++) {
      const [x1, y1, x2, y2, label] = recorded.subarray(k * 5, k * 5 + 5);
      assert.deepEqual(
        [...boxes.subarray((i * 8 + k) * 4, (i * 8 + k + 1) * 4)],
        [x1, y1, x2, y2],
        `${ids[i]}, box ${k}`,
      );
      assert.equal(labels[i * 8 + k], label + 1);
    }
    assert.equal(labels[i * 8 + count], 0, 'difficult objects are left out');
  }
});

test(
  'From VOC files to the zoo reference’s picture, boxes and number of matches',
  needs('golden/refinedet-zoo'),
  async () => {
    const { tensors } = await readGolden('refinedet-zoo/preprocess_bccd.safetensors');
    const json = await readFile(shared('golden/refinedet-zoo/training_vgg16-320.json') as string, 'utf8');
    const [recorded] = (JSON.parse(json) as { batch: { boxes_y1x1y2x2_class: number[][]; num_match: number }[] }).batch;
    const dataset = await openDataset(shared('data/bccd') as string);
    const { images, boxes, targets } = await batchOf(dataset, ['BloodImage_00001'], { targets: zooTargets(320) });
    assert.equal(Buffer.compare(images, tensors.get('resized')?.data as Uint8Array), 0);
    recorded.boxes_y1x1y2x2_class.forEach(([y1, x1, y2, x2], k) => {
      const expected = [x1 / 640, y1 / 480, x2 / 640, y2 / 480].map(Math.fround);
      assert.deepEqual([...boxes.subarray(k * 4, k * 4 + 4)], expected, `box ${k}`);
    });
    assert.deepEqual([...(targets.matched.data as Int32Array)], [recorded.num_match]);
  },
);
