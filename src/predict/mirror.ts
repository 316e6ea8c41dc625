import type { Tensor } from '../graph/tensor.js';

/** Pictures mirrored left to right: uint8 [batch, height, width, 3]. */
export function mirroredPictures({ dtype, shape, data }: Tensor): Tensor {
  const rowLength = shape[2] * 3;
  const mirrored = new Uint8Array(data.length);
  for (let row = 0; row < data.length; row += rowLength) {
    for (let x = 0; x < rowLength; x += 3) {
      const to = row + rowLength - 3 - x;
      mirrored[to] = data[row + x] as number;
      mirrored[to + 1] = data[row + x + 1] as number;
      mirrored[to + 2] = data[row + x + 2] as number;
    }
  }
  return { dtype, shape, data: mirrored };
}

/**
 * Boxes mirrored left to right.
 *
 * @param boxes [n, 4] x1, y1, x2, y2
 * @param sum what an x and its mirror image add up to: the picture's width
 */
export function mirroredBoxes(boxes: Float32Array, sum: number): Float32Array {
  const mirrored = new Float32Array(boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    const [x1, y1, x2, y2] = boxes.subarray(i, i + 4);
    mirrored.set([sum - x2, y1, sum - x1, y2], i);
  }
  return mirrored;
}
