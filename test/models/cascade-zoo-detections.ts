// Detections of the zoo's cascade on the two recorded pictures, and their comparison.
import assert from 'node:assert/strict';
import type { Tensor } from '../../src/graph/tensor.js';
import { numbersOf } from '../graph/harness.js';
import { pictures } from './cascade-zoo-inference.js';
import { Errors, worstError } from './closeness.js';

export interface Found {
  readonly picture: number;
  readonly label: number;
  readonly score: number;
  readonly box: readonly number[];
}

/** By picture, class and falling score, as the record has them. */
export function inOrder(found: readonly Found[]): Found[] {
  return [...found].sort((a, b) => a.picture - b.picture || a.label - b.label || b.score - a.score);
}

export function foundIn(results: Record<string, Tensor>): Found[] {
  const [labels, scores, boxes, of] = ['labels', 'scores', 'boxes', 'pictures'].map((name) => numbersOf(results[name]));
  return inOrder(
    labels.map((label, i) => ({ picture: of[i], label, score: scores[i], box: boxes.slice(4 * i, 4 * i + 4) })),
  );
}

/** Rows of the recorded result whose mask is true. */
export function recordedResult(golden: ReadonlyMap<string, Tensor>): Found[] {
  const [rows, labels, mask] = ['boxes', 'labels', 'mask'].map((name) => numbersOf(golden.get(`result.${name}`)!));
  const each = mask.length / pictures;
  const all = [...mask.keys()].filter((i) => mask[i]);
  return inOrder(
    all.map((i) => ({
      picture: Math.floor(i / each),
      label: labels[i],
      score: rows[5 * i + 4],
      box: rows.slice(5 * i, 5 * i + 4),
    })),
  );
}

/** Fails unless pictures and classes are the same; the errors of boxes and scores. */
export function compareFound(actual: readonly Found[], expected: readonly Found[]): Errors {
  const classes = (found: readonly Found[]) => found.map(({ picture, label }) => [picture, label]);
  assert.deepEqual(classes(actual), classes(expected));
  const errors = new Errors();
  expected.forEach(({ box, score }, i) => {
    errors.add(`box ${i}`, worstError(actual[i].box, box, 10));
    errors.add(`score ${i}`, worstError([actual[i].score], [score]));
  });
  return errors;
}
