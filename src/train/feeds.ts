import { randomStream } from '../data/augment/random.js';
import type { Batch, BatchArrays } from '../data/batches/batch.js';
import type { Tensors } from '../engine/protocol.js';
import type { Tensor } from '../graph/index.js';

/** What a batch offers to graphs, by the names of their inputs; a graph takes what it asks for. */
export function batchFeeds({ images, boxes, labels, frames, sourceSizes, canvas, targets }: Batch): Tensors {
  const count = sourceSizes.length / 2;
  const maxBoxes = labels.length / count;
  // The graph wants height before width. A place without a picture gets a size too, since nothing may divide by zero.
  const sizes = Float32Array.from(sourceSizes, (_, i) => Math.max(1, sourceSizes[i ^ 1]));
  return {
    images: { dtype: 'uint8', shape: [count, canvas.height, canvas.width, 3], data: images },
    boxes: { dtype: 'float32', shape: [count, maxBoxes, 4], data: boxes },
    labels: { dtype: 'int32', shape: [count, maxBoxes], data: labels },
    sizes: { dtype: 'float32', shape: [count, 2], data: sizes },
    frames: { dtype: 'float32', shape: [count, 4], data: frames },
    // A target may be called as one of the above (the zoo's labels of anchors), and then it is what is meant.
    ...targets,
  };
}

/** The batch's arrays over the buffers that came back from the engine. */
export function returnedArrays(batch: Batch, back: Tensors): BatchArrays {
  const data = <T>(name: string, own: T): T => (name in batch.targets ? own : ((back[name]?.data as T) ?? own));
  return {
    images: data('images', batch.images),
    boxes: data('boxes', batch.boxes),
    labels: data('labels', batch.labels),
    frames: data('frames', batch.frames),
    sourceSizes: batch.sourceSizes,
    targets: Object.fromEntries(Object.entries(batch.targets).map(([name, own]) => [name, back[name] ?? own])),
  };
}

/** Numbers that a step's samplers draw, float32 [pictures, count] in [0, 1): a function of seed and step alone. */
export function stepDraws(seed: number, step: number, pictures: number, count: number): Tensor {
  const random = randomStream(seed, step, samplerStream);
  const data = Float32Array.from({ length: pictures * count }, () => random.uniform(0, 1));
  return { dtype: 'float32', shape: [pictures, count], data };
}

/** Stands where a picture's place stands in the streams of the data pipeline. */
const samplerStream = 0xfffffffe;
