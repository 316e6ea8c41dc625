import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { CocoGroundTruth, CocoResults } from '../../src/evaluate/coco/coco-json.js';
import { needs, shared } from '../shared.js';
import { generatedProblem, type ProblemOptions } from './generated-problem.js';

const read = <T>(name: string) => JSON.parse(readFileSync(shared(`golden/metrics/${name}`)!, 'utf8')) as T;

describe('problems generated in TypeScript are those of the recorded files', needs('golden/metrics'), () => {
  for (const name of ['g8dense', 'g20', 'g100', 'g300']) {
    test(name, () => {
      const meta = read<{ generated: Record<string, ProblemOptions & { seed: string }> }>('meta.json');
      const truth = read<CocoGroundTruth>(`${name}.gt.json`);
      const results = read<CocoResults>(`${name}.dt.json`);
      const { seed, ...options } = meta.generated[name];
      const { data, categoryIds } = generatedProblem(seed, options);
      assert.deepEqual(
        categoryIds,
        truth.categories.map(({ id }) => id),
      );
      assert.deepEqual(
        data.pictures,
        truth.images.map(({ id }) => id).toSorted((a, b) => a - b),
      );
      const ids = (starts: Uint32Array) =>
        data.pictures.flatMap((id, p) => Array<number | string>(starts[p + 1] - starts[p]).fill(id));
      const { truths, detections } = data;
      assert.deepEqual(
        ids(truths.starts),
        truth.annotations.map(({ image_id }) => image_id),
      );
      assert.deepEqual(
        Array.from(truths.boxes),
        truth.annotations.flatMap(({ bbox }) => bbox),
      );
      assert.deepEqual(
        Array.from(truths.areas),
        truth.annotations.map(({ area }) => area),
      );
      assert.deepEqual(
        Array.from(truths.crowd),
        truth.annotations.map(({ iscrowd }) => iscrowd),
      );
      assert.deepEqual(
        Array.from(truths.ids),
        truth.annotations.map(({ id }) => id),
      );
      const categories = (labels: Uint32Array) => Array.from(labels, (label) => categoryIds[label]);
      assert.deepEqual(
        categories(truths.labels),
        truth.annotations.map(({ category_id }) => category_id),
      );
      assert.deepEqual(
        categories(detections.labels),
        results.map(({ category_id }) => category_id),
      );
      assert.deepEqual(
        ids(detections.starts),
        results.map(({ image_id }) => image_id),
      );
      assert.deepEqual(
        Array.from(detections.boxes),
        results.flatMap(({ bbox }) => bbox),
      );
      assert.deepEqual(
        Array.from(detections.scores),
        results.map(({ score }) => score),
      );
    });
  }
});
