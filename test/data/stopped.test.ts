import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderShapes } from '../../src/cli/demo/demo-data.js';
import { inspectDataset, openDataset, writeDataset } from '../../src/data/index.js';
import { temporaryFolder } from '../temporary-folder.js';

test('a signal ends the reading of a data set, in every format that is written', async (t) => {
  const folder = await temporaryFolder(t);
  const data = join(folder, 'shapes');
  await renderShapes(data, { pictures: { train: 2, val: 1 }, size: 64, seed: 3 });
  const signal = AbortSignal.abort();
  const dataset = await openDataset(data, { part: 'train' });
  for (const format of ['coco', 'voc', 'yolo'] as const) {
    const path = join(folder, format);
    await writeDataset(dataset, path, { format });
    assert.equal((await openDataset(path)).images.length, 2);
    await assert.rejects(openDataset(path, { signal }), { code: 'aborted', message: /was stopped by its signal/ });
    await assert.rejects(inspectDataset(path, { signal }), { code: 'aborted' }, 'tolerant as it is of all else');
  }
});
