import type { Tensor } from '../graph/tensor.js';

/** Formats of weights that boxwright reads. */
export type WeightFormat = 'safetensors' | 'mindspore' | 'pytorch' | 'numpy-pickle' | 'caffe' | 'onnx';

/** What a file of weights holds, whatever its format: tensors by the names that the file gives them. */
export interface WeightFile {
  readonly format: WeightFormat;
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What the file says beside its tensors, as text. */
  readonly metadata: Readonly<Record<string, string>>;
}
