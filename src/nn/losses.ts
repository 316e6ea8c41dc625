import {
  abs,
  add,
  exp,
  gatherElements,
  less,
  logSoftmax,
  mul,
  neg,
  reduceSum,
  softplus,
  squeeze,
  sub,
  unsqueeze,
  type Value,
  where,
} from '../graph/index.js';

/** −ln p of the labelled class. logits [..., classes], labels int32/int64 [...] → [...]. */
export function crossEntropy(logits: Value, labels: Value): Value {
  const chosen = gatherElements(logSoftmax(logits, -1), unsqueeze(labels, -1), logits.rank - 1);
  return neg(squeeze(chosen, -1));
}

/** ½x²/beta within ±beta, |x| − ½beta beyond, element by element (Girshick 2015, Fast R-CNN, equation 3). */
export function smoothL1(x: Value, beta = 1): Value {
  const size = abs(x);
  return where(less(size, beta), mul(mul(x, x), 0.5 / beta), sub(size, 0.5 * beta));
}

/** Sigmoid focal loss element by element (Lin et al. 2017, equation 5): alpha on ones, 1 − alpha on zeros. */
export function sigmoidFocal(logits: Value, targets: Value, { alpha, gamma }: { alpha: number; gamma: number }): Value {
  // −ln σ(±x) is softplus(∓x), and (1 − σ(x))^gamma is exp(−gamma·softplus(x)): both stay finite, and so do their
  // gradients, for large logits and any gamma.
  const againstOne = softplus(neg(logits));
  const againstZero = softplus(logits);
  const focused = (loss: Value, other: Value) => mul(exp(mul(other, -gamma)), loss);
  const one = mul(mul(targets, alpha), focused(againstOne, againstZero));
  const zero = mul(mul(sub(1, targets), 1 - alpha), focused(againstZero, againstOne));
  return add(one, zero);
}

/**
 * Sum over all elements, one axis after the other from the last. A sum of a million float32 terms in one go is off by
 * 1e-5 in ONNX Runtime; short sums of sums stay within 1e-6.
 */
export function sumAll(x: Value): Value {
  let sum = x;
  for (let axis = x.rank - 1; axis >= 0; axis--) sum = reduceSum(sum, [axis]);
  return sum;
}
