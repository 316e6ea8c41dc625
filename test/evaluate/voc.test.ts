import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openDataset } from '../../src/data/open.js';
import { truthOf, VocEvaluator } from '../../src/evaluate/index.js';
import { needs, shared } from '../shared.js';
import { byName } from './by-name.js';
import { close } from './close.js';

interface Input {
  images: string[];
  classes: string[];
  truth: Record<string, { class: string; bbox: number[]; difficult: number }[]>;
  detections: Record<string, { image: string; score: number; bbox: number[] }[]>;
}

type Expected = Record<
  string,
  {
    perClass: Record<
      string,
      Record<'positives' | 'detections' | 'AP11' | 'APall' | 'tp' | 'recall' | 'precision', number> & {
        fp: number | null;
      }
    >;
    mAP11: number;
    mAPall: number;
  }
>;

const read = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;

describe('VOC metrics equal the devkit', needs('golden/metrics'), () => {
  for (const name of ['voc20', 'voc150']) {
    test(name, () => {
      const { images, classes, truth, detections } = read<Input>(shared(`golden/metrics/${name}.input.json`)!);
      const settings = read<Expected>(shared(`golden/metrics/${name}.expected.json`)!);
      assert.equal(Object.keys(settings).length, 4);
      for (const [setting, expected] of Object.entries(settings)) {
        const [, threshold, sides] = /^iou(.*)-(.*)$/.exec(setting)!;
        const evaluator = new VocEvaluator({
          classes,
          iouThreshold: Number(threshold),
          plusOne: sides === 'plusOne',
        });
        for (const image of images) {
          const objects = truth[image] ?? [];
          const found = classes.flatMap((className, label) =>
            (detections[className] ?? [])
              .filter((entry) => entry.image === image)
              .map((entry) => ({ ...entry, label })),
          );
          evaluator.addPicture({
            id: image,
            truth: {
              boxes: objects.flatMap(({ bbox }) => bbox),
              labels: objects.map((object) => classes.indexOf(object.class)),
              crowd: objects.map(({ difficult }) => difficult),
            },
            detections: {
              boxes: found.flatMap(({ bbox }) => bbox),
              labels: found.map(({ label }) => label),
              scores: found.map(({ score }) => score),
            },
          });
        }
        const result = evaluator.result();
        close(result.mAP11, expected.mAP11, 1e-12, `${setting} mAP11`);
        close(result.mAPall, expected.mAPall, 1e-12, `${setting} mAPall`);
        for (const [className, golden] of Object.entries(expected.perClass)) {
          const ours = byName(result.perClass)[className];
          for (const key of ['positives', 'detections', 'AP11', 'APall', 'tp', 'recall', 'precision'] as const) {
            close(ours[key], golden[key], 1e-12, `${setting} ${className} ${key}`);
          }
          if (golden.fp !== null) assert.equal(ours.fp, golden.fp);
        }
      }
    });
  }
});

test('VOC metrics of real pictures and detections', needs('data/voc2012-100'), async () => {
  const root = shared('data/voc2012-100')!;
  type Figures = Record<string, Record<'npos' | 'ndet' | 'AP11' | 'APall', number>>;
  const expected = read<Record<string, Figures> & { mean: Record<string, Record<'AP11' | 'APall', number>> }>(
    join(root, 'expected_voc_metrics.json'),
  );
  const { classes, images } = await openDataset(root);
  const names = readFileSync(join(root, 'voc.names'), 'utf8').trim().split(/\s+/);
  for (const threshold of ['0.5', '0.75']) {
    const evaluator = new VocEvaluator({ classes, iouThreshold: Number(threshold), plusOne: true });
    for (const image of images) {
      const stem = image.name.replace(/\.\w+$/, '');
      const path = join(root, 'detections/abs_xyx2y2', `${stem}.txt`);
      // A picture in which nothing was found has no file.
      const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
      const rows = lines.map((line) => line.trim().split(/\s+/).map(Number));
      evaluator.addPicture({
        id: stem,
        truth: truthOf(image),
        detections: {
          // Pixels are counted from 1 in VOC's files, and from 0 in what boxwright reads of them.
          boxes: rows.flatMap(([, , ...box]) => box.map((side) => side - 1)),
          labels: rows.map(([label]) => classes.indexOf(names[label])),
          scores: rows.map(([, score]) => score),
        },
      });
    }
    const result = evaluator.result();
    for (const [name, { npos, ndet, AP11, APall }] of Object.entries(expected[threshold])) {
      const ours = byName(result.perClass)[name];
      assert.deepEqual([ours.positives, ours.detections], [npos, ndet], name);
      close(ours.AP11, AP11, 1e-12, `${name} AP11`);
      close(ours.APall, APall, 1e-12, `${name} APall`);
    }
    close(result.mAP11, expected.mean[threshold].AP11, 1e-12, 'mAP11');
    close(result.mAPall, expected.mean[threshold].APall, 1e-12, 'mAPall');
  }
});

describe('VocEvaluator', () => {
  const detections = { boxes: [0, 0, 10, 10, 0, 0, 10, 10], labels: [0, 0], scores: [0.9, 0.8] };

  test('takes a second detection of an object for false, and of a difficult one for nothing', () => {
    const evaluator = new VocEvaluator({ classes: ['cat', 'dog'] });
    evaluator.addPicture({ id: 1, truth: { boxes: [0, 0, 10, 10], labels: [0] }, detections });
    evaluator.addPicture({ id: 2, truth: { boxes: [0, 0, 10, 10], labels: [0], crowd: [1] }, detections });
    const { perClass, mAP11 } = evaluator.result();
    const { tp, fp, positives } = byName(perClass).cat;
    assert.deepEqual(
      { tp, fp, positives, found: byName(perClass).cat.detections },
      { tp: 1, fp: 1, positives: 1, found: 4 },
    );
    assert.equal(byName(perClass).dog.AP11, -1);
    close(mAP11, 1, 1e-15, 'mAP11');
  });

  test('needs more than the threshold', () => {
    const evaluator = new VocEvaluator({ classes: ['cat'] });
    const half = { boxes: [0, 0, 10, 5], labels: [0], scores: [0.9] };
    evaluator.addPicture({ id: 1, truth: { boxes: [0, 0, 10, 10], labels: [0] }, detections: half });
    assert.equal(byName(evaluator.result().perClass).cat.tp, 0);
    assert.equal(new VocEvaluator({ classes: ['cat'] }).result().mAP11, -1);
  });

  test('refuses a threshold of 1 and a picture that comes twice', () => {
    assert.throws(() => new VocEvaluator({ classes: ['cat'], iouThreshold: 1 }), { code: 'config' });
    const evaluator = new VocEvaluator({ classes: ['cat'] });
    evaluator.addPicture({ id: 1, truth: { boxes: [], labels: [] } });
    assert.throws(() => evaluator.addPicture({ id: 1, truth: { boxes: [], labels: [] } }), {
      code: 'data',
      message: /picture 1 was added before/,
    });
  });
});
