import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parseVocXml } from '../../src/data/formats/voc-xml.js';
import { CocoEvaluator, type CocoResults, cocoPictures } from '../../src/evaluate/index.js';
import { type PictureDetections, vocXml, writeDetections, yoloText } from '../../src/predict/formats/index.js';
import { byName } from '../evaluate/by-name.js';
import { temporaryFolder } from '../temporary-folder.js';

const folder = await temporaryFolder({ after });

const pictures: PictureDetections[] = [
  {
    source: 'cells/a "1".jpg',
    width: 640,
    height: 480,
    detections: [
      { box: [0, 10.25, 639.5, 480], label: 'white & <red>', labelIndex: 1, score: 0.8999999761581421 },
      { box: [5, 5, 7, 9], label: 'plain', labelIndex: 0, score: 0.5 },
    ],
  },
  { source: 'cells/b.png', width: 10, height: 20, detections: [] },
];

async function* stream(): AsyncGenerator<PictureDetections> {
  yield* pictures;
}

describe('detections as files', () => {
  test('JSON lines, one a picture', async () => {
    const path = join(folder, 'found.jsonl');
    assert.equal(await writeDetections('jsonl', path, stream()), 2);
    const lines = (await readFile(path, 'utf8')).split('\n');
    assert.equal(lines.length, 3);
    assert.equal(
      lines[0],
      '{"source":"cells/a \\"1\\".jpg","width":640,"height":480,"detections":[' +
        '{"box":[0,10.25,639.5,480],"label":"white & <red>","score":0.8999999761581421},' +
        '{"box":[5,5,7,9],"label":"plain","score":0.5}]}',
    );
    assert.equal(lines[1], '{"source":"cells/b.png","width":10,"height":20,"detections":[]}');
  });

  test('COCO results, which the evaluator reads', async () => {
    const path = join(folder, 'results.json');
    const imageId = (source: string) => (source === 'cells/b.png' ? 7 : 12);
    await writeDetections('coco', path, pictures, { cocoIds: { imageId, categoryIds: [3, 90] } });
    const results = JSON.parse(await readFile(path, 'utf8')) as CocoResults;
    assert.deepEqual(results, [
      { image_id: 12, category_id: 90, bbox: [0, 10.25, 639.5, 469.75], score: 0.8999999761581421 },
      { image_id: 12, category_id: 3, bbox: [5, 5, 2, 4], score: 0.5 },
    ]);
    const truth = {
      images: [{ id: 7 }, { id: 12 }],
      categories: [
        { id: 90, name: 'b' },
        { id: 3, name: 'a' },
      ],
      annotations: [{ id: 1, image_id: 12, category_id: 3, bbox: [5, 5, 2, 4] }],
    };
    const evaluation = cocoPictures(truth, results);
    assert.deepEqual(evaluation.classes, ['a', 'b']);
    const evaluator = new CocoEvaluator({ classes: evaluation.classes, boxFormat: 'xywh' });
    for (const picture of evaluation.pictures) evaluator.addPicture(picture);
    assert.ok(byName(evaluator.result().perClass).a.AP > 0.999);
  });

  test('an empty COCO result is an empty list', async () => {
    const path = join(folder, 'none.json');
    await writeDetections('coco', path, [], { cocoIds: { imageId: () => 1, categoryIds: [] } });
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), []);
  });

  test('Pascal VOC, which the data reader gives back', async () => {
    const to = join(folder, 'voc');
    assert.equal(await writeDetections('voc', to, stream()), 2);
    assert.deepEqual((await readdir(to)).sort(), ['a "1".xml', 'b.xml']);
    const annotation = parseVocXml(await readFile(join(to, 'a "1".xml'), 'utf8'), 'a.xml');
    assert.equal(annotation.filename, 'a "1".jpg');
    assert.deepEqual(annotation.size, { width: 640, height: 480 });
    assert.deepEqual(annotation.objects[0], {
      name: 'white & <red>',
      box: [1, 11.25, 640.5, 481],
      difficult: false,
      truncated: false,
    });
    assert.deepEqual(parseVocXml(vocXml(pictures[1]), 'b.xml').objects, []);
  });

  test('YOLO text, with and without scores', async () => {
    const to = join(folder, 'yolo');
    await writeDetections('yolo', to, pictures);
    const lines = (await readFile(join(to, 'a "1".txt'), 'utf8')).split('\n');
    assert.equal(lines[0], '1 0.49960938 0.51067708 0.99921875 0.97864583 0.8999999761581421');
    assert.equal(await readFile(join(to, 'b.txt'), 'utf8'), '');
    assert.match(yoloText(pictures[0], { scores: false }), /^1( 0\.\d{8}){4}\n0( 0\.\d{8}){4}\n$/);
  });
});

describe('detections are refused', () => {
  const nan: PictureDetections = {
    source: 'c.jpg',
    width: 4,
    height: 4,
    detections: [{ box: [0, 0, Number.NaN, 1], label: 'x', labelIndex: 0, score: 1 }],
  };

  test('with numbers that are not finite, and the file before stays', async () => {
    const path = join(folder, 'kept.jsonl');
    await writeFile(path, 'before');
    await assert.rejects(writeDetections('jsonl', path, [pictures[0], nan]), {
      code: 'data',
      message: /^c\.jpg: detection 0 is x \(class 0\) with box \[0, 0, NaN, 1\]/,
    });
    assert.equal(await readFile(path, 'utf8'), 'before');
    assert.ok(!(await readdir(folder)).some((name) => name.endsWith('.tmp')));
    for (const format of ['voc', 'yolo'] as const) {
      await assert.rejects(writeDetections(format, join(folder, 'nan'), [nan]), { code: 'data' });
    }
  });

  test('for a picture without size', () => {
    assert.throws(() => yoloText({ ...pictures[1], width: 0 }), { code: 'data', message: /size is 0 × 20/ });
  });

  test('where two pictures would share a file', async () => {
    const same = [pictures[1], { ...pictures[1], source: 'more/b.jpg' }];
    await assert.rejects(writeDetections('voc', join(folder, 'same'), same), {
      code: 'data',
      message: /more\/b\.jpg and cells\/b\.png would both be b\.xml/,
    });
  });

  test('as COCO results without their ids', async () => {
    const path = join(folder, 'refused.json');
    await assert.rejects(writeDetections('coco', path, pictures), { code: 'config' });
    const noImage = { imageId: () => undefined, categoryIds: [1, 2] };
    await assert.rejects(writeDetections('coco', path, pictures, { cocoIds: noImage }), {
      code: 'data',
      message: /no image/,
    });
    const noClass = { imageId: () => 1, categoryIds: [1] };
    await assert.rejects(writeDetections('coco', path, pictures, { cocoIds: noClass }), {
      code: 'data',
      message: /class 1 \(white & <red>\) has no category id, 1 are given/,
    });
  });
});
