// Runs that start from files of other projects, for other classes than the files know.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { cascadeRcnnMmdetection } from '../../src/weights/loading/maps/cascade-rcnn-mmdetection.js';
import { sourceName } from '../../src/weights/loading/maps/name-map.js';
import { tinyCheckpoint } from '../predict/tiny-detector.js';
import { needs } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { pytorchFile } from '../weights/torch-writer.js';
import { assertFinite, bccd, firstSteps } from './first-steps.js';

test("mmdetection's file starts a cascade for blood cells: known classes keep their rows", needs(bccd), async (t) => {
  const classes = ['RBC', 'cat', 'WBC', 'dog'];
  const { parameters } = tinyCheckpoint('cascade-rcnn-tiny', classes);
  const named = new Map<string, Tensor>(
    [...parameters].map(([name, tensor]) => [sourceName(cascadeRcnnMmdetection, name)!, tensor]),
  );
  const weights = join(await temporaryFolder(t), 'epoch_12.pth');
  const beside = [['meta', new Map([['CLASSES', classes]])]] as const;
  await writeFile(weights, pytorchFile('legacy', named, { wrapper: 'state_dict', beside }));
  const { said, steps } = await firstSteps(t, { model: 'cascade-rcnn-tiny', weights, count: 2 });
  assert.match(said, /^106 parameters from .*epoch_12\.pth \(mmdetection's Cascade R-CNN\); /);
  assert.match(
    said,
    /6 tensors of the heads are for other classes and start fresh, but for the rows of RBC, WBC and the background$/,
  );
  assertFinite(steps);
});
