import assert from 'node:assert/strict';
import type { Tensor } from '../../src/graph/tensor.js';
import { numbersOf } from '../graph/harness.js';
import { Errors, worstError } from './closeness.js';

/**
 * Fails unless detections of one picture have the recorded classes in the recorded order; the errors of scores and boxes.
 *
 * @param expected [n, 6] class, score, x1, y1, x2, y2
 */
export function sameDetections(detected: Record<string, Tensor>, expected: Tensor): Errors {
  const column = (index: number) => numbersOf(expected).filter((_, i) => i % 6 === index);
  assert.deepEqual(numbersOf(detected.labels), column(0));
  const boxes = numbersOf(expected).filter((_, i) => i % 6 > 1);
  const errors = new Errors();
  errors.add('scores', worstError(numbersOf(detected.scores), column(1)));
  errors.add('boxes', worstError(numbersOf(detected.boxes), boxes));
  return errors;
}
