/**
 * `boxwright/graph`: a small typed language for ONNX graphs with reverse-mode differentiation. `input` and `constant`
 * start a graph, operators extend it, `gradient` differentiates it, `writeOnnx` writes it. An ONNX operator that is
 * missing here is an `Operator` for `apply`.
 *
 * @packageDocumentation
 */
export { gradient } from './gradient.js';
export { type OnnxFile, type OnnxNode, type OnnxPort, readOnnx } from './onnx/read.js';
export { type GraphDescription, type OnnxModel, writeOnnx } from './onnx/write.js';
export { type ConvOptions, type ConvTransposeOptions, conv2d, convTranspose2d } from './ops/conv.js';
export {
  abs,
  add,
  and,
  cast,
  ceil,
  clip,
  div,
  equal,
  erf,
  exp,
  floor,
  greater,
  greaterOrEqual,
  identity,
  indicator,
  isInf,
  isNan,
  less,
  lessOrEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  not,
  type Operand,
  or,
  pow,
  reciprocal,
  relu,
  relu6,
  round,
  sigmoid,
  sign,
  softplus,
  sqrt,
  stopGradient,
  sub,
  sumOf,
  tanh,
  where,
} from './ops/elementwise.js';
export { dimOf, expand, expandLike, rangeAlong, rangeTo, shapeOf, tile } from './ops/expand.js';
export {
  compress,
  gather,
  gatherElements,
  gatherNd,
  nonZero,
  type ScatterReduction,
  scatterElements,
  scatterNd,
} from './ops/gather.js';
export { gemm, matMul, matrixTranspose } from './ops/linear.js';
export { batchNorm, batchNormTraining, perChannel } from './ops/normalization.js';
export { averagePool2d, maxPool2d, maxPool2dWithIndices, type PoolOptions } from './ops/pooling.js';
export {
  argMax,
  argMin,
  cumSum,
  type ReduceOptions,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  reduceSumSquare,
} from './ops/reduce.js';
export {
  type ResizeCoordinates,
  type ResizeMode,
  type ResizeOptions,
  resize,
  resizeTo,
  upsample,
} from './ops/resize.js';
export {
  type RoiAlignLevelsOptions,
  type RoiAlignOptions,
  type RoiCoordinates,
  roiAlign,
  roiAlignLevels,
} from './ops/roi-align.js';
export { type NmsOptions, nonMaxSuppression, topK } from './ops/selection.js';
export {
  concat,
  depthToSpace,
  openEnd,
  pad,
  range,
  reshape,
  reshapeTo,
  slice,
  split,
  squeeze,
  transpose,
  unsqueeze,
} from './ops/shape.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export { type ArrayOf, type ElementType, elementCount, type Tensor, type TypedArray } from './tensor.js';
export {
  type AttributeKind,
  type Attributes,
  type AttributeValue,
  apply,
  apply1,
  type Backward,
  constant,
  type Dim,
  filled,
  input,
  int64s,
  type Node,
  type Operator,
  type Shape,
  scope,
  shapeError,
  type Type,
  topological,
  Value,
} from './value.js';
