/**
 * `boxwright/engine`: runs graphs. `writeLowered` turns one into an ONNX model for the machine at hand; an `Engine` runs
 * it with ONNX Runtime in a thread of its own, and keeps state, such as weights in training, between runs.
 *
 * @packageDocumentation
 */
export type { Target } from '../lowering/index.js';
export { writeLowered } from '../lowering/write.js';
export { availableProviders, Engine, type EngineOptions, type RunOptions, Session, State } from './engine.js';
export type { Provider, Tensors } from './protocol.js';
