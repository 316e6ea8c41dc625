import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openDataset } from '../../src/data/open.js';
import { type EvaluatedDetector, evaluate, type FoundObjects, optimalLrp } from '../../src/evaluate/index.js';
import { Detector } from '../../src/predict/detector.js';
import { png, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { byName } from './by-name.js';

const classes = ['cross', 'disc'];

/** A COCO file of three pictures with an object each, at [10, 10, 30, 30] and of class 0, 1 and 0. */
async function threePictures(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  const images = [];
  for (let id = 0; id < 3; id++) {
    await writeFile(join(folder, `${id}.png`), await png(60, 40, id));
    images.push({ id, file_name: `${id}.png`, width: 60, height: 40 });
  }
  const annotations = images.map(({ id }) => {
    return { id, image_id: id, category_id: 1 + (id % 2), bbox: [10, 10, 20, 20], area: 400, iscrowd: 0 };
  });
  const categories = classes.map((name, i) => ({ id: i + 1, name }));
  const file = join(folder, 'truth.json');
  await writeFile(file, JSON.stringify({ images, annotations, categories }));
  return file;
}

/** Finds the object of every picture, with the class of all taken for the first. */
const first: EvaluatedDetector & { asked: object[] } = {
  classes,
  asked: [],
  async *stream(paths, options): AsyncGenerator<FoundObjects> {
    this.asked.push(options);
    for (const _ of paths) {
      yield { width: 60, height: 40, detections: [{ box: [10, 10, 30, 30], labelIndex: 0, score: 0.9 }] };
    }
  },
};

test('anything that has classes and detects is judged, with COCO s options', async (t) => {
  const file = await threePictures(t);
  const done: [number, number][] = [];
  const onProgress = (...counts: [number, number]) => done.push(counts);
  const { coco, perClass, data, tables, dataset } = await evaluate(first, file, { batch: 2, onProgress });
  // Two objects in three detections of the first class, precision 2/3 at the end; the second class is never found.
  assert.equal(byName(perClass).disc.AP, 0);
  assert.ok(byName(perClass).cross.AP > 0.6 && byName(perClass).cross.AP < 1, `${byName(perClass).cross.AP}`);
  assert.equal(coco.AP, byName(perClass).cross.AP / 2);
  assert.deepEqual(done.at(-1), [3, 3]);
  const { minScore, batch } = first.asked[0] as { minScore: number; batch: number };
  assert.deepEqual([minScore, batch], [0, 2], 'all that it finds, in the batches asked for');
  assert.equal(dataset.images.length, 3);
  assert.ok(Number.isFinite(optimalLrp(data).oLRP), 'further metrics take the data');
  assert.deepEqual(tables.settings.maxDetections, [1, 10, 100]);
  const other = await evaluate(first, file, { agnostic: true, maxDetections: [1, 300] });
  assert.ok(other.coco.AP > 0.99, 'without regard to class all is found');
  assert.equal(other.coco.AR300, 1);
  assert.equal(other.coco.AR100, -1);
});

test('a detector of ours, on a data set that is open, gives what it does on the path', async (t) => {
  const file = await threePictures(t);
  await using detector = await Detector.load(await tinyModelFile(t), { minScore: 0.9 });
  const dataset = await openDataset(file, { classes: detector.classes });
  const given = await evaluate(detector, dataset);
  assert.ok(given.data.detections.labels.length > 10, 'the detector s own lowest score does not count');
  assert.deepEqual((await evaluate(detector, file)).coco, given.coco);
});

test('it ends when it is stopped', async (t) => {
  const file = await threePictures(t);
  await using detector = await Detector.load(await tinyModelFile(t));
  const stop = new AbortController();
  const onProgress = () => stop.abort();
  await assert.rejects(evaluate(detector, file, { signal: stop.signal, onProgress }), { code: 'aborted' });
  await assert.rejects(evaluate(first, file, { signal: AbortSignal.abort() }), { code: 'aborted' });
});

test('what does not fit is refused before a picture is looked at', async (t) => {
  const file = await threePictures(t);
  const unused: EvaluatedDetector = {
    classes,
    stream() {
      throw new Error('it was run');
    },
  };
  await assert.rejects(evaluate(unused, file, { iouThresholds: [2] }), { code: 'config' });
  await assert.rejects(evaluate(unused, file, { part: 'night' }), { code: 'data' });
  await assert.rejects(evaluate({ ...unused, classes: ['cross'] }, file), { code: 'data', message: /'disc'/ });
  const turned = await openDataset(file, { classes: [...classes].reverse() });
  await assert.rejects(evaluate(unused, turned), { code: 'data', message: /open it with .* detector\.classes/ });
});
