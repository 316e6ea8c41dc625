// RefineDet as luuuyi/RefineDet.PyTorch has it, with the hashed weights of ../shared/golden/refinedet-paper. Where it
// departs from the published method, the recipe's fields say so.
import type { Tensor } from '../../src/graph/tensor.js';
import { modelRecipe } from '../../src/models/model.js';
import type { RefineDetRecipe } from '../../src/models/refinedet/recipe.js';
import type { ParameterSpec } from '../../src/nn/parameters.js';
import type { Safetensors } from '../../src/weights/formats/safetensors.js';
import { refineDetPytorch } from '../../src/weights/loading/maps/refinedet-pytorch.js';
import { aroundOne, bias, convWeight } from '../hashfill.js';
import { loadedByName } from './loaded-by-name.js';

export const paperFolder = 'golden/refinedet-paper';

export function pytorchRefineDet(): RefineDetRecipe {
  return modelRecipe('refinedet-vgg16-320-luuuyi', 20);
}

/** The list "Weights" of the folder's README, as a file that is loaded like any. */
export function pytorchWeights(specs: Iterable<ParameterSpec>, seed = 'dev'): Record<string, Tensor> {
  return loadedByName(refineDetPytorch, pytorchRefineDet(), specs, (name, shape) => {
    const key = `${seed}:${name}`;
    if (shape.length === 4) return convWeight(key, shape, gainOf(name));
    if (name.endsWith('L2Norm.weight')) return aroundOne(key, shape, name.startsWith('conv4') ? 10 : 8);
    return bias(key, shape, name.startsWith('arm_conf') ? 3 : 0.1);
  });
}

function gainOf(name: string): number {
  if (/^vgg\.[02]\./.test(name)) return 1 / 8;
  if (/^(vgg\.33|arm_loc|odm_loc)\./.test(name)) return 0.4;
  if (/^tcb[02]\./.test(name)) return 0.7;
  if (name.startsWith('arm_conf')) return 1.2;
  return name.startsWith('odm_conf') ? 2.5 : 1;
}

/** Boxes and labels (from 1) of a recorded [k, 5] tensor, class counted from 0 last. */
export function boxesAndLabels({ tensors }: Safetensors, name: string): { boxes: Float32Array; labels: Int32Array } {
  const rows = tensors.get(name)!.data as Float32Array;
  const count = rows.length / 5;
  return {
    boxes: Float32Array.from({ length: count * 4 }, (_, i) => rows[Math.floor(i / 4) * 5 + (i % 4)]),
    labels: Int32Array.from({ length: count }, (_, i) => rows[i * 5 + 4] + 1),
  };
}

/** Ground truth of a batch, padded to `maxBoxes`. */
export function padded(
  pictures: readonly { boxes: Float32Array; labels: Int32Array }[],
  maxBoxes: number,
): Record<'boxes' | 'labels', Tensor> {
  const boxes = new Float32Array(pictures.length * maxBoxes * 4);
  const labels = new Int32Array(pictures.length * maxBoxes);
  pictures.forEach((picture, i) => {
    boxes.set(picture.boxes, i * maxBoxes * 4);
    labels.set(picture.labels, i * maxBoxes);
  });
  return {
    boxes: { dtype: 'float32', shape: [pictures.length, maxBoxes, 4], data: boxes },
    labels: { dtype: 'int32', shape: [pictures.length, maxBoxes], data: labels },
  };
}

export function floats({ tensors }: Safetensors, name: string): Float32Array {
  return tensors.get(name)!.data as Float32Array;
}

export function integers({ tensors }: Safetensors, name: string): number[] {
  return Array.from(tensors.get(name)!.data as ArrayLike<number | bigint>, Number);
}
