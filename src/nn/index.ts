/**
 * `boxwright/nn`: networks as functions that write graphs, and their training. Layers take their weights from
 * `Parameters`; `trainingStep` writes losses, gradients, optimizer and averages as one graph, for `boxwright/engine`.
 *
 * @packageDocumentation
 */
export {
  filledWith,
  gaussian,
  heNormal,
  type Initializer,
  ones,
  scaled,
  truncatedGaussian,
  type Uniform,
  xavierUniform,
  zeros,
} from './initializers.js';
export {
  type BatchNormLayer,
  type BiasRule,
  batchNorm,
  type ConvLayer,
  conv,
  type L2NormLayer,
  l2Norm,
  upConv,
} from './layers.js';
export { crossEntropy, sigmoidFocal, smoothL1, sumAll } from './losses.js';
export type { OptimizerRecipe } from './optimizers.js';
export {
  initialValues,
  type ParameterOptions,
  type ParameterSpec,
  Parameters,
  type ParametersOptions,
} from './parameters.js';
export { learningRate, type Schedule } from './schedules.js';
export {
  averageInput,
  initialOptimizerState,
  type Losses,
  rateInput,
  type StepGraph,
  type StepRecipe,
  stateName,
  type TrainingStep,
  trainingStep,
} from './training-step.js';
