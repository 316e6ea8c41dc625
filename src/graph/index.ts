/**
 * `boxwright/graph`: a small typed language for ONNX graphs with reverse-mode differentiation.
 *
 * @packageDocumentation
 */
export { gradient } from './gradient.js';
export * from './ops/conv.js';
export * from './ops/elementwise.js';
export * from './ops/gather.js';
export * from './ops/linear.js';
export * from './ops/normalization.js';
export * from './ops/pooling.js';
export * from './ops/reduce.js';
export * from './ops/resize.js';
export * from './ops/selection.js';
export * from './ops/shape.js';
export * from './ops/softmax.js';
export * from './tensor.js';
export * from './value.js';
