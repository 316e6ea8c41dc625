import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import type { Tensor } from '../../src/graph/tensor.js';
import { inferenceGraph, modelRecipe } from '../../src/models/model.js';
import { initialValues } from '../../src/nn/parameters.js';
import type { Detection } from '../../src/predict/formats/index.js';
import type { Checkpoint } from '../../src/weights/checkpoint.js';
import { writeCheckpoint } from '../../src/weights/checkpoint.js';
import { temporaryFolder } from '../temporary-folder.js';

export const tinyClasses = ['cross', 'disc', 'ring'];

/** A detector that has learnt nothing, but whose batch norms have statistics: quick to run, with detections everywhere. */
export function tinyCheckpoint(model = 'refinedet-tiny-64', classes: readonly string[] = tinyClasses): Checkpoint {
  const { p } = inferenceGraph(modelRecipe(model, classes.length));
  const parameters = new Map<string, Tensor>(initialValues(p.specs.values(), 7));
  let state = 1;
  const next = () => {
    state = Math.imul(state, 1103515245) + 12345;
    return ((state >>> 8) & 0xffff) / 0x10000;
  };
  for (const [name, { data }] of parameters) {
    const values = data as Float32Array;
    if (/running_mean$|bn\.bias$/.test(name)) for (let i = 0; i < values.length; i++) values[i] = (next() - 0.5) / 5;
    if (/running_var$/.test(name)) for (let i = 0; i < values.length; i++) values[i] = 0.5 + next();
  }
  return { model, classes, parameters, state: new Map() };
}

export async function tinyModelFile(t: TestContext, checkpoint = tinyCheckpoint()): Promise<string> {
  const path = join(await temporaryFolder(t), 'tiny.safetensors');
  await writeCheckpoint(path, checkpoint);
  return path;
}

/** RGB pixels with a pattern that depends on `seed`. */
export function pixels(
  width: number,
  height: number,
  seed = 0,
): { data: Uint8Array; width: number; height: number; channels: 3 } {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = (Math.imul(i + seed, 2654435761) >>> 24) ^ (i >> 6);
  return { data, width, height, channels: 3 };
}

/** The same as a PNG file's bytes. */
export async function png(width: number, height: number, seed = 0): Promise<Buffer> {
  const { data } = pixels(width, height, seed);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

type Found = Pick<Detection, 'labelIndex' | 'score'> & { readonly box: readonly number[] };

/**
 * The same objects: to each one of equal class, a score within 1e-4 and sides within 1e-4 of the picture's size (or of
 * themselves, as random weights give boxes far larger). Their order is not compared: rounding turns ties around.
 */
export function assertSameDetections(
  found: readonly Found[],
  expected: readonly Found[],
  size: number,
  where = '',
): void {
  assert.equal(found.length, expected.length, `${where}: number of detections`);
  const left = new Set(found);
  const near = (a: number, b: number) => Math.abs(a - b) <= 1e-4 * Math.max(size, Math.abs(b));
  for (const { box, labelIndex, score } of expected) {
    const match = [...left].find(
      (other) =>
        other.labelIndex === labelIndex &&
        Math.abs(other.score - score) < 1e-4 &&
        other.box.every((side, i) => near(side, box[i])),
    );
    assert.ok(match, `${where}: no counterpart of class ${labelIndex}, score ${score}, [${box.join(', ')}]`);
    left.delete(match);
  }
}
