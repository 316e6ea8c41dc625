import { BoxwrightError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import { elementCount } from '../../graph/tensor.js';

/** @throws BoxwrightError `weights` if a tensor that is to be written to `path` does not fill its shape. */
export function requireComplete(path: string, name: string, { shape, data }: Tensor): void {
  if (data.length === elementCount(shape)) return;
  const found = `${data.length} elements, expected ${elementCount(shape)}`;
  throw new BoxwrightError('weights', `${path}: tensor ${JSON.stringify(name)} of shape [${shape}] has ${found}`);
}
