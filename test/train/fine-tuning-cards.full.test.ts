// Both cards' models in their real size, from generated files, for the three classes of blood cells. Minutes, and up to ten
// gigabytes of memory.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cocoClasses } from '../../src/hub/coco-classes.js';
import { writeMindspore } from '../../src/weights/formats/mindspore-writer.js';
import { inSourceNames } from '../../src/weights/loading/in-source-names.js';
import { tinyCheckpoint } from '../predict/tiny-detector.js';
import { needs } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { assertFinite, bccd, firstSteps } from './first-steps.js';

for (const { model, said } of [
  { model: 'refinedet-vgg16-320-zoo', said: /^141 parameters .*; 8 tensors of the heads are for other classes/ },
  { model: 'cascade-rcnn-resnet101-zoo', said: /^554 parameters .*; 12 tensors of the heads are for other classes/ },
]) {
  test(`${model} learns blood cells from a file like its card's`, needs(bccd), async (t) => {
    const weights = join(await temporaryFolder(t), 'card.ckpt');
    const { parameters } = tinyCheckpoint(model, cocoClasses);
    await writeMindspore(weights, inSourceNames(model, 'mindspore', parameters));
    const run = await firstSteps(t, { model, weights, count: 2, batch: 1 });
    assert.match(run.said, said);
    t.diagnostic(run.steps.map(({ loss }) => loss.toFixed(3)).join(', '));
    assertFinite(run.steps);
  });
}
