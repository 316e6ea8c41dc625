import { add, div, maximum, minimum, mul, sub, transpose, type Value } from '../graph/index.js';
import { columns } from './coder-graph.js';

/** Smaller than any area that boxes of interest have, and a normal float32 number. */
const leastUnion = 1e-37;

/** Graph form of `boxAreas`: [..., n, 4] → [..., n, 1]. */
function areasGraph(boxes: Value, plusOne = false): Value {
  const [x1, y1, x2, y2] = columns(boxes);
  const side = (low: Value, high: Value) => (plusOne ? add(sub(high, low), 1) : sub(high, low));
  return mul(side(x1, x2), side(y1, y2));
}

/** Graph form of `iouMatrix`: boxes [batch, n, 4] (or [1, n, 4]) against [batch, k, 4] → [batch, n, k]. */
export function iouMatrixGraph(boxes: Value, others: Value, plusOne = false): Value {
  const own = columns(boxes);
  const their = columns(others).map((column) => transpose(column, [0, 2, 1]));
  const overlap = (low: number, high: number): Value => {
    const length = sub(minimum(own[high], their[high]), maximum(own[low], their[low]));
    return maximum(plusOne ? add(length, 1) : length, 0);
  };
  const intersection = mul(overlap(0, 2), overlap(1, 3));
  const areas = add(areasGraph(boxes, plusOne), transpose(areasGraph(others, plusOne), [0, 2, 1]));
  // Two boxes without area have no overlap, as on the host: 0, not 0 / 0.
  return div(intersection, maximum(sub(areas, intersection), leastUnion));
}
