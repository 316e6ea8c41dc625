// Cascade R-CNN as mmdetection has it, with the hashed weights of ../shared/golden/cascade-rcnn-paper.
import assert from 'node:assert/strict';
import { constant, type Tensor, type Value } from '../../src/graph/index.js';
import type { Limits } from '../../src/models/cascade-rcnn/proposals.js';
import { paperCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import type { ParameterSpec } from '../../src/nn/parameters.js';
import { cascadeRcnnMmdetection } from '../../src/weights/loading/maps/cascade-rcnn-mmdetection.js';
import { sourceName } from '../../src/weights/loading/maps/name-map.js';
import { aroundOne, bias, convWeight } from '../hashfill.js';
import { loadedByName } from './loaded-by-name.js';

export const folder = 'golden/cascade-rcnn-paper';
/** COCO's classes, which the recorded networks tell apart. */
export const recipe = paperCascadeRcnn('resnet50', 80);
/** Both recorded batches are padded to this. */
export const canvas = { height: 256, width: 320 };

export function sourceOf(parameter: string): string {
  return (
    sourceName(cascadeRcnnMmdetection, parameter) ?? assert.fail(`${cascadeRcnnMmdetection.source} has no ${parameter}`)
  );
}

/** The stem and C2 stay as they came. */
export const frozen = (name: string) => /^backbone\.(conv1|bn1|layer1)\./.test(name);

/** The chapter "Weights" of the folder's README, as a file that is loaded like any. */
export function paperWeights(specs: Iterable<ParameterSpec>, seed = 'dev'): Record<string, Tensor> {
  return loadedByName(cascadeRcnnMmdetection, recipe, specs, (name, shape) => {
    const key = `${seed}:${name}`;
    if (shape.length > 1) return convWeight(key, shape, gainOf(name));
    return /\.(weight|running_var)$/.test(name) ? aroundOne(key, shape) : bias(key, shape);
  });
}

function gainOf(name: string): number {
  if (/^(backbone\..*\.conv3|neck\..*)\.weight$/.test(name)) return 0.25;
  if (name.startsWith('rpn_head.rpn_cls')) return 2;
  if (name.startsWith('rpn_head.rpn_reg')) return 0.5;
  if (name.includes('fc_cls')) return 1.2;
  return name.includes('fc_reg') ? 0.7 : 1;
}

/** float32 [pictures, 1, 4]: how far boxes may reach on pictures [height, width]; the canvas is the fixed one. */
export function limitsOfPictures(pictures: readonly (readonly [height: number, width: number])[]): Limits {
  const rows = (sizes: readonly (readonly [number, number])[]): Value =>
    constant(
      'float32',
      [sizes.length, 1, 4],
      Float32Array.from(sizes.flatMap(([height, width]) => [width, height, width, height])),
    );
  return { picture: rows(pictures), canvas: rows([[canvas.height, canvas.width]]) };
}

/** Recorded pictures [h, w, 3] BGR in the upper left corners of canvases: uint8 [N, 256, 320, 3] RGB. */
export function onCanvases(pictures: readonly Tensor[]): Tensor<'uint8'> {
  const { height, width } = canvas;
  const data = new Uint8Array(pictures.length * height * width * 3);
  pictures.forEach(({ data: bytes, shape: [rows, columns] }, picture) => {
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < columns * 3; i++) {
        const channel = i % 3;
        data[(picture * height + row) * width * 3 + i] = Number(bytes[row * columns * 3 + i + 2 - 2 * channel]);
      }
  });
  return { dtype: 'uint8', shape: [pictures.length, height, width, 3], data };
}

/** float32 [N, 4]: height and width of pictures that were not resized. */
export function framesOf(pictures: readonly Tensor[]): Tensor<'float32'> {
  const data = pictures.flatMap(({ shape: [height, width] }) => [height, width, 1, 1]);
  return { dtype: 'float32', shape: [pictures.length, 4], data: Float32Array.from(data) };
}

/** Columns from `first` to the last of recorded rows, as [pictures, rows a picture, columns]. */
export function rowsFrom({ data, shape: [rows, width] }: Tensor, first: number, pictures = 1): Tensor<'float32'> {
  const kept = width - first;
  const values = Float32Array.from({ length: rows * kept }, (_, i) =>
    Number(data[Math.floor(i / kept) * width + first + (i % kept)]),
  );
  return { dtype: 'float32', shape: [pictures, rows / pictures, kept], data: values };
}
