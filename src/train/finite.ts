import type { Tensor } from '../graph/index.js';

/** Name of the first tensor that holds a number which is not finite, or undefined. */
export function firstNotFinite(tensors: Iterable<readonly [name: string, tensor: Tensor]>): string | undefined {
  for (const [name, { data }] of tensors) {
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(Number(data[i]))) return name;
  }
  return undefined;
}
