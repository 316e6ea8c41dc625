import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { BoxwrightError } from '../../src/errors.js';
import { type CocoGroundTruth, type CocoResults, cocoPictures } from '../../src/evaluate/coco/coco-json.js';
import { cocoData, readCocoResults } from '../../src/evaluate/coco/coco-results-file.js';
import { readCocoTruth } from '../../src/evaluate/coco/coco-truth-file.js';
import { JsonBytes } from '../../src/evaluate/coco/json-bytes.js';
import { CocoEvaluator, cocoTables, picturesOf } from '../../src/evaluate/index.js';
import { hashOf } from '../hashfill.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';

/** A folder with these files, gone after the test. */
async function folderWith(t: TestContext, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function dataOf(truthFile: string, resultsFile: string) {
  const truth = await readCocoTruth(truthFile);
  return cocoData(truth, await readCocoResults(resultsFile, truth));
}

/** Columns and parsed files hold the same pictures, apart from their order. */
async function checkSame(truthFile: string, resultsFile: string) {
  const data = await dataOf(truthFile, resultsFile);
  const [truth, results] = [truthFile, resultsFile].map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const { classes, pictures } = cocoPictures(truth as CocoGroundTruth, results as CocoResults);
  assert.deepEqual(data.classes, classes);
  const plain = (list: ArrayLike<number> | undefined) => Array.from(list ?? []);
  const flat = (picture: (typeof pictures)[number]) => ({
    id: picture.id,
    truth: Object.entries(picture.truth)
      .map(([name, list]) => [name, plain(list)])
      .sort(),
    found: Object.entries(picture.detections ?? {})
      .map(([name, list]) => [name, plain(list)])
      .sort(),
  });
  assert.deepEqual([...picturesOf(data)].map(flat), pictures.map(flat));
  return data;
}

describe('files read as a stream give what JSON.parse gives', () => {
  test('golden problems', needs('golden/metrics'), async () => {
    const folder = shared('golden/metrics')!;
    const names = readdirSync(folder).filter((name) => name.endsWith('.gt.json'));
    assert.ok(names.length >= 26);
    for (const name of names) await checkSame(join(folder, name), join(folder, name.replace('.gt.', '.dt.')));
  });

  test('real ground truth with masks, and results', needs('data/coco-eval'), async () => {
    const folder = shared('data/coco-eval')!;
    const data = await checkSame(
      join(folder, 'instances_val2014_100.json'),
      join(folder, 'instances_val2014_fakebbox100_results.json'),
    );
    const evaluator = new CocoEvaluator({ classes: data.classes, boxFormat: 'xywh' });
    for (const picture of picturesOf(data)) evaluator.addPicture(picture);
    assert.deepEqual(cocoTables(data), evaluator.tables());
  });

  test('keys in any order, unknown fields of all kinds, spaces, escapes, text ids, a byte order mark', async (t) => {
    const truth = `\ufeff{ "annotations" : [
      {"segmentation":[[1,2,"]"],{"a":"}\\"]\\\\"}],"bbox":[1.5e1,-2,3.25,40E-1],"iscrowd":true,"image_id":"ä\\u00e4","category_id":7},
      {"id":9,"category_id":7,"image_id":5,"bbox":[0,0,10,10],"area":55.5,"ignore":null}],
      "info":{"x":[true,false,null,-1e-5]},
      "categories":[{"name":"a \\"b\\" ☃","id":7,"keypoints":["x"]},{"id":3,"name":"z"}],
      "images":[{"id":5,"file_name":"p.jpg","width":10,"height":20},{"id":"ää"}] }\n\n`;
    const results = `[{"score":0.30000000000000004,"bbox":[1,2,3,4],"category_id":3,"image_id":"ää","extra":[{}]},
      {"image_id":5,"category_id":7,"bbox":[0.1,0.2,0.3,0.4],"score":1}]`;
    const folder = await folderWith(t, { 'truth.json': truth, 'results.json': results });
    const data = await dataOf(join(folder, 'truth.json'), join(folder, 'results.json'));
    assert.deepEqual(data.classes, ['z', 'a "b" ☃']);
    assert.deepEqual(data.pictures, [5, 'ää']);
    assert.deepEqual(Array.from(data.truths.starts), [0, 1, 2]);
    assert.deepEqual(Array.from(data.truths.boxes), [0, 0, 10, 10, 15, -2, 3.25, 4]);
    assert.deepEqual(Array.from(data.truths.areas), [55.5, 13]);
    assert.deepEqual(Array.from(data.truths.crowd), [0, 1]);
    assert.deepEqual(Array.from(data.truths.ids), [9, Number.NaN]);
    assert.deepEqual(Array.from(data.truths.labels), [1, 1]);
    assert.deepEqual(Array.from(data.detections.scores), [1, 0.30000000000000004]);
    assert.deepEqual(Array.from(data.detections.labels), [1, 0]);
  });

  test('federated lists become labels', async (t) => {
    const truth = {
      images: [{ id: 1, neg_category_ids: [8, 99], not_exhaustive_category_ids: [4] }],
      categories: [
        { id: 8, name: 'b', frequency: 'r' },
        { id: 4, name: 'a', frequency: 'f' },
      ],
      annotations: [],
    };
    const folder = await folderWith(t, { 'truth.json': JSON.stringify(truth) });
    const { pictures, categories } = await readCocoTruth(join(folder, 'truth.json'));
    assert.deepEqual(pictures, [{ id: 1, negative: [1], notExhaustive: [0] }]);
    assert.deepEqual(
      categories.map(({ frequency }) => frequency),
      ['f', 'r'],
    );
  });

  test('values that lie across the pieces in which a file is read', async (t) => {
    const entries = Array.from({ length: 30_000 }, (_, i) => ({
      pad: 'x\\"'.repeat(i % 7),
      number: (i * 7919 + 0.1234567890123) / (1 + (i % 97)),
      deep: [[i, { a: '[' }]],
    }));
    const folder = await folderWith(t, { 'list.json': JSON.stringify(entries) });
    for (const whole of [true, false]) {
      using json = new JsonBytes(join(folder, 'list.json'));
      json.openList('entries');
      let index = 0;
      for (; json.nextEntry(index === 0); index++) {
        if (whole) assert.deepEqual(json.value(), entries[index]);
        else {
          json.openObject('an entry');
          const keys = [Buffer.from('number')];
          for (let key = json.nextKey(true, keys); key !== -2; key = json.nextKey(false, keys)) {
            if (key === 0) assert.equal(json.number('number'), entries[index].number);
            else json.skip();
          }
        }
      }
      json.end();
      assert.equal(index, entries.length);
    }
  });

  test('one value larger than the buffer', async (t) => {
    const long = 'ß'.repeat(500_000);
    const folder = await folderWith(t, { 'list.json': JSON.stringify([1, long, { [long]: long }, 2]) });
    using json = new JsonBytes(join(folder, 'list.json'));
    json.openList('entries');
    assert.ok(json.nextEntry(true));
    assert.equal(json.number('first'), 1);
    json.nextEntry(false);
    assert.equal(json.value(), long);
    json.nextEntry(false);
    json.skip();
    json.nextEntry(false);
    assert.equal(json.number('last'), 2);
    assert.equal(json.nextEntry(false), false);
    json.end();
  });
});

const truth = {
  images: [{ id: 1 }, { id: 2 }],
  categories: [
    { id: 1, name: 'a' },
    { id: 5, name: 'b' },
  ],
  annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 1, 1] }],
};
const detection = { image_id: 1, category_id: 1, bbox: [0, 0, 1, 1], score: 0.5 };
const results = JSON.stringify([detection, detection]);
/** A results file whose second entry has this in place of the good one. */
const second = (change: object) => JSON.stringify([detection, { ...detection, ...change }]);
const text = (from: string, to: string) => results.slice(0, 70) + results.slice(70).replace(from, to);

const badResults: [string, string | Buffer, RegExp][] = [
  [
    'cut within an entry',
    results.slice(0, -20),
    /results\[1\]: the file ends after 1\d\d bytes, in the middle: is it cut off/,
  ],
  ['cut within a number', results.slice(0, -4), /results\[1\]: the file ends/],
  ['cut between entries', results.slice(0, results.indexOf('}') + 1), /results\[0\]: the file ends/],
  ['an empty file', '', /results: the file ends after 0 bytes/],
  ['a score as text', second({ score: '0.9' }), /results\[1\]: score is "0\.9", expected a number/],
  ['a score of null', second({ score: null }), /results\[1\]: score is null, expected a number/],
  ['a list as score', second({ score: [0.9] }), /results\[1\]: score is a list, expected a number/],
  ['a score of NaN', text('0.5', 'NaN'), /results\[1\]: score is NaN, expected a number/],
  ['no score', second({ score: undefined }), /results\[1\]: it has no score; a detection has image_id, category_id/],
  ['masks without boxes', second({ bbox: undefined, segmentation: {} }), /results\[1\]: it has no bbox/],
  ['an unknown picture', second({ image_id: 3 }), /results\[1\]: image_id is 3, which \S+ does not list/],
  ['a picture as text', second({ image_id: '2' }), /image_id is "2", which \S+ does not list; it has 2, a number/],
  ['an unknown category', second({ category_id: 2 }), /results\[1\]: category_id is 2; the ground truth lists 1, 5/],
  ['categories counted from 0', second({ category_id: 0 }), /not counted from 0/],
  ['a category as text', second({ category_id: 'a' }), /results\[1\]: category_id is "a", expected a number/],
  ['a negative width', second({ bbox: [5, 5, -1, 2] }), /results\[1\]: bbox\[2\] is -1, expected a width of 0 or more/],
  ['a negative height', second({ bbox: [5, 5, 1, -2] }), /results\[1\]: bbox\[3\] is -2, expected a height/],
  ['an endless box', text('[0,', '[Infinity,'), /results\[1\]: bbox\[0\] is Infinity, expected a finite number/],
  ['three sides', second({ bbox: [5, 5, 1] }), /results\[1\]: bbox has 3 numbers, expected \[x, y, width, height\]/],
  ['five sides', second({ bbox: [5, 5, 1, 1, 1] }), /results\[1\]: bbox has 5 numbers/],
  [
    'a box as text',
    second({ bbox: '0 0 1 1' }),
    /results\[1\]: expected bbox as \[x, y, width, height\] \(a list\), found "\\"0 0 1 1/,
  ],
  [
    'numbers in place of entries',
    '[1, 2]',
    /results\[0\]: expected a detection \(an object\), found "1, 2\]" at byte 1/,
  ],
  ['a missing comma', results.replace('},{', '}{'), /results\[0\]: expected ',' or '\]', found "\{/],
  ['a comma too many', results.replace(']', ',]').replace('}]', '},]'), /expected/],
  ['an octal number', text('0.5', '00.5'), /score is 00\.5, expected a number/],
  ['a bare point', text('0.5', '.5'), /score/],
  ['two files in one', `${results}\n${results}`, /expected the end of the file, found "\[\{/],
  [
    'the ground truth',
    JSON.stringify(truth),
    /found an object; this is a ground truth, not results: are the two files swapped/,
  ],
  [
    'a list within an object',
    JSON.stringify({ predictions: [] }),
    /write the list in 'predictions' to a file of its own/,
  ],
  ['another object', '{"a": 1}', /expected a list of detections .* this is something else/],
  ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10]), /expected results \(a list\), found/],
  ['a binary file', Buffer.from([0, 1, 2, 3]), /byte 0 is 0, which JSON text does not have: is this a JSON file/],
];

describe('results are refused', () => {
  for (const [what, content, message] of badResults) {
    test(what, async (t) => {
      const folder = await folderWith(t, { 'truth.json': JSON.stringify(truth), 'results.json': content });
      const read = await readCocoTruth(join(folder, 'truth.json'));
      await assert.rejects(readCocoResults(join(folder, 'results.json'), read), { code: 'data', message });
    });
  }

  test('a file that is not there', async (t) => {
    const folder = await folderWith(t, { 'truth.json': JSON.stringify(truth) });
    const read = await readCocoTruth(join(folder, 'truth.json'));
    const missing = readCocoResults(join(folder, 'none.json'), read);
    await assert.rejects(missing, { code: 'io', message: /none\.json: there is no such file/ });
  });

  test('a folder, of which nothing stays open', async (t) => {
    const folder = await folderWith(t, { 'truth.json': '{}' });
    const nextDescriptor = () => {
      const descriptor = openSync(join(folder, 'truth.json'), 'r');
      closeSync(descriptor);
      return descriptor;
    };
    const before = nextDescriptor();
    for (let i = 0; i < 5; i++) assert.throws(() => new JsonBytes(folder), { code: 'io', message: /cannot be read/ });
    assert.equal(nextDescriptor(), before);
  });

  test('once the signal says so; until then progress is told', async (t) => {
    const many = JSON.stringify(Array(100_000).fill(detection));
    const folder = await folderWith(t, { 'truth.json': JSON.stringify(truth), 'results.json': many });
    const read = await readCocoTruth(join(folder, 'truth.json'));
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(readCocoResults(join(folder, 'results.json'), read, { signal: stop.signal }), {
      code: 'aborted',
    });
    const seen: number[] = [];
    await readCocoResults(join(folder, 'results.json'), read, { onProgress: (bytes) => seen.push(bytes) });
    assert.ok(seen.length > 0 && seen[0] >= 2 ** 22, `${seen}`);
  });
});

test('files cut anywhere, and files with any byte changed, give figures or an error that names the file', async (t) => {
  const folder = await folderWith(t, { 'truth.json': JSON.stringify(truth) });
  const read = await readCocoTruth(join(folder, 'truth.json'));
  const file = join(folder, 'results.json');
  for (let length = 0; length < results.length; length++) {
    await writeFile(file, results.slice(0, length));
    await assert.rejects(readCocoResults(file, read), { code: 'data', message: /results\.json/ }, `cut at ${length}`);
  }
  const truthText = JSON.stringify(truth);
  const outcomes = { read: 0, refused: 0 };
  for (let i = 0; i < 600; i++) {
    const bytes = Buffer.from(i % 2 ? truthText : results);
    bytes[hashOf(7, i) % bytes.length] = '{}[]",:0-e. x\\\0'.charCodeAt(hashOf(8, i) % 15);
    await writeFile(file, bytes);
    const reading: Promise<unknown> = i % 2 ? readCocoTruth(file) : readCocoResults(file, read);
    await reading.then(
      () => {
        assert.doesNotThrow(() => JSON.parse(bytes.toString()), 'JSON.parse takes what was read');
        outcomes.read++;
      },
      (error: BoxwrightError) => {
        assert.ok(error instanceof BoxwrightError && error.code === 'data', `${error.stack}`);
        assert.ok(error.message.startsWith(file), error.message);
        outcomes.refused++;
      },
    );
  }
  assert.ok(outcomes.read >= 20 && outcomes.refused > 200, JSON.stringify(outcomes));
});

test('scores below 0 and over 1 count, and are told of', async (t) => {
  const odd = JSON.stringify([detection, { ...detection, score: 87.5 }, { ...detection, score: -3 }]);
  const folder = await folderWith(t, { 'truth.json': JSON.stringify(truth), 'results.json': odd });
  const read = await readCocoTruth(join(folder, 'truth.json'));
  const { warnings, detections } = await readCocoResults(join(folder, 'results.json'), read);
  assert.deepEqual(Array.from(detections.scores), [0.5, 87.5, -3]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /2 of 3 scores are below 0 or over 1, such as 87\.5 of results\[1\]/);
});

const annotation = truth.annotations[0];
const withAnnotation = (change: object) =>
  JSON.stringify({ ...truth, annotations: [annotation, { ...annotation, id: 2, ...change }] });

const badTruths: [string, string, RegExp][] = [
  ['results', results, /this is a list, as results are; a ground truth has images, categories and annotations/],
  ['no annotations', JSON.stringify({ ...truth, annotations: undefined }), /it has no list 'annotations'/],
  ['another file', '{}', /it has no list 'images', 'categories', 'annotations'/],
  [
    'images that are no list',
    JSON.stringify({ ...truth, images: {} }),
    /images: expected images \(a list\), found "\{/,
  ],
  ['cut off', JSON.stringify(truth).slice(0, -30), /annotations\[0\]: the file ends after/],
  [
    'a picture without id',
    JSON.stringify({ ...truth, images: [{ id: 1 }, {}] }),
    /images\[1\]: id is undefined, expected a number/,
  ],
  ['a picture of null', JSON.stringify({ ...truth, images: [null] }), /images\[0\]: id is undefined/],
  [
    'two pictures of one id',
    JSON.stringify({ ...truth, images: [{ id: 1 }, { id: 1 }] }),
    /images\[1\]: id is 1, as that of images\[0\]; ids must differ/,
  ],
  [
    'two categories of one id',
    JSON.stringify({ ...truth, categories: [...truth.categories, { id: 5, name: 'c' }] }),
    /categories\[2\]: id is 5, as that of categories\[1\]/,
  ],
  [
    'a category without name',
    JSON.stringify({ ...truth, categories: [{ id: 1 }] }),
    /categories\[0\]: name is undefined, expected a text/,
  ],
  [
    'two annotations of one id',
    withAnnotation({ id: 1 }),
    /annotations\[1\]: id is 1, as that of annotations\[0\]; ids must differ/,
  ],
  [
    'an annotation of an unknown picture',
    withAnnotation({ image_id: 9 }),
    /annotations\[1\]: image_id is 9, which images does not list/,
  ],
  [
    'an annotation of an unknown category',
    withAnnotation({ category_id: 9 }),
    /annotations\[1\]: category_id is 9, which categories does not list/,
  ],
  ['an annotation without box', withAnnotation({ bbox: undefined }), /annotations\[1\]: it has no bbox/],
  ['a negative area', withAnnotation({ area: -1 }), /annotations\[1\]: area is -1, expected square pixels/],
  ['an odd crowd flag', withAnnotation({ iscrowd: 2 }), /annotations\[1\]: iscrowd is 2, expected 0 or 1/],
  ['a swapped box', withAnnotation({ bbox: [9, 9, -3, -3] }), /annotations\[1\]: bbox\[2\] is -3, expected a width/],
  [
    'lists that are none',
    JSON.stringify({ ...truth, images: [{ id: 1, neg_category_ids: 'all' }] }),
    /images\[0\]: neg_category_ids is no list/,
  ],
];

describe('a ground truth is refused', () => {
  for (const [what, content, message] of badTruths) {
    test(what, async (t) => {
      const folder = await folderWith(t, { 'truth.json': content });
      await assert.rejects(readCocoTruth(join(folder, 'truth.json')), { code: 'data', message });
    });
  }
});
