import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageIds } from '../../src/cli/coco-image-ids.js';

test('pictures are found by their file name, wherever they lie', () => {
  const idOf = imageIds([
    { name: 'a.jpg', id: 7 },
    { name: 'train/b.jpg', id: 8 },
  ]);
  assert.deepEqual(['/data/a.jpg', 'a.jpg', 'x/b.jpg', 'C:\\data\\b.jpg', 'ba.jpg'].map(idOf), [7, 7, 8, 8, undefined]);
});

test('images of one file name are told apart by their folders, and none is guessed', () => {
  const idOf = imageIds([
    { name: 'left/1.jpg', id: 1 },
    { name: 'right/1.jpg', id: 2 },
    { name: 'up/right/1.jpg', id: 3 },
  ]);
  assert.deepEqual(['d/left/1.jpg', 'right/1.jpg', 'd/up/right/1.jpg'].map(idOf), [1, 2, 3]);
  assert.deepEqual(['1.jpg', 'd/upright/1.jpg'].map(idOf), [undefined, undefined]);
});
