import { dimsAgree, freshDim, normalizeAxis } from '../dims.js';
import type { Operator, Value } from '../value.js';
import { apply, apply1, constant, constantInts, filled, shapeError } from '../value.js';
import { scatterElements } from './gather.js';
import { numbers, required, requireRank, requireSameType } from './require.js';

type TopKAttributes = { axis: number; largest: number; sorted: number };

const TopK: Operator<TopKAttributes> = {
  type: 'TopK',
  attributes: { axis: 'int', largest: 'int', sorted: 'int' },
  infer(inputs, { axis }) {
    const x = required('TopK', inputs, 0);
    requireSameType('TopK', [x], numbers);
    const at = normalizeAxis('TopK', axis, x.rank, [x]);
    const k = constantInts(inputs[1]);
    const size = x.shape[at];
    if (k && (k.length !== 1 || k[0] < 0 || (typeof size === 'number' && k[0] > size)))
      throw shapeError('TopK', `cannot take ${k.join(', ')} of ${size} elements.`, [x]);
    const shape = x.shape.map((dim, i) => (i === at ? (k ? k[0] : freshDim('top')) : dim));
    return [
      { dtype: x.dtype, shape },
      { dtype: 'int64', shape },
    ];
  },
  vjp: ({ inputs: [x], outputs: [, indices], attributes: { axis }, gradients: [g] }) => [
    g && scatterElements(filled(0, x.dtype, x.staticShape), indices, g, axis),
    undefined,
  ],
};

/**
 * The k largest (or smallest) elements along an axis, in falling (rising) order, and their int64 indices.
 * Equal elements keep the order of their indices. `k` may be a computed int64 vector of one element.
 */
export function topK(
  x: Value,
  k: number | Value,
  axis = -1,
  { largest = true } = {},
): { values: Value; indices: Value } {
  const count = typeof k === 'number' ? constant('int64', [1], BigInt64Array.of(BigInt(k))) : k;
  const [values, indices] = apply(TopK, [x, count], { axis, largest: largest ? 1 : 0, sorted: 1 });
  return { values, indices };
}

const NonMaxSuppression: Operator<{ center_point_box: number }> = {
  type: 'NonMaxSuppression',
  attributes: { center_point_box: 'int' },
  infer(inputs) {
    const [boxes, scores] = [required('NonMaxSuppression', inputs, 0), required('NonMaxSuppression', inputs, 1)];
    requireSameType('NonMaxSuppression', [boxes, scores], ['float32']);
    requireRank('NonMaxSuppression', boxes, 3, 'boxes');
    requireRank('NonMaxSuppression', scores, 3, 'scores');
    if (
      !dimsAgree(boxes.shape[0], scores.shape[0]) ||
      !dimsAgree(boxes.shape[1], scores.shape[2]) ||
      !dimsAgree(boxes.shape[2], 4)
    ) {
      throw shapeError('NonMaxSuppression', 'wants boxes [batch, n, 4] and scores [batch, classes, n].', [
        boxes,
        scores,
      ]);
    }
    return [{ dtype: 'int64', shape: [freshDim('selected'), 3] }];
  },
};

export interface NmsOptions {
  /** A box goes if its IoU with a better one of its class is greater than this. */
  readonly iouThreshold: number;
  /** Only scores greater than this are looked at. */
  readonly scoreThreshold: number;
  readonly maxPerClass: number;
}

/**
 * Non-maximum suppression per picture and class. boxes [batch, n, 4] (two opposite corners), scores [batch, classes, n]
 * → int64 [selected, 3]: picture, class, box.
 */
export function nonMaxSuppression(boxes: Value, scores: Value, options: NmsOptions): Value {
  const most = constant('int64', [1], BigInt64Array.of(BigInt(options.maxPerClass)));
  const thresholds = [options.iouThreshold, options.scoreThreshold].map((value) =>
    constant('float32', [1], Float32Array.of(value)),
  );
  return apply1(NonMaxSuppression, [boxes, scores, most, ...thresholds], { center_point_box: 0 });
}
