import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelRecipe } from '../../src/models/model.js';
import { parseAugment } from '../../src/train/augment.js';
import { pipelineOf } from '../../src/train/pipeline.js';

test('--augment: one base, additions after commas, and errors for what is neither', () => {
  assert.deepEqual(parseAugment('recipe'), { base: 'recipe', extras: [] });
  assert.deepEqual(parseAugment('mosaic,rotate90'), { base: 'recipe', extras: ['mosaic', 'rotate90'] });
  assert.deepEqual(parseAugment('none, cut-out'), { base: 'none', extras: ['cut-out'] });
  assert.throws(() => parseAugment('flips'), {
    code: 'config',
    message: /there is no 'flips'; known are recipe, flip, none/,
  });
  assert.throws(() => parseAugment('flip,none'), { code: 'config', message: /flip and none exclude each other/ });
});

test('Additions come on top of what the model family does; scale jitter takes the place of its expansion and crop', () => {
  const recipe = modelRecipe('refinedet-resnet18-320', 2);
  const own = pipelineOf(recipe, 'recipe').augmentation;
  assert.ok(own.crop && own.expand && !own.mosaic);
  const { mosaic, ...rest } = pipelineOf(recipe, 'recipe,mosaic').augmentation;
  assert.deepEqual([mosaic, rest], [{ chance: 0.5 }, own]);
  const jittered = pipelineOf(recipe, 'scale-jitter').augmentation;
  assert.ok(jittered.scaleJitter && !jittered.crop && !jittered.expand && jittered.photometric);
  assert.deepEqual(pipelineOf(recipe, 'flip').augmentation, { flip: true });
});
