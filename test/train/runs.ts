import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderShapes } from '../../src/cli/demo/demo-data.js';
import type { PictureDetections } from '../../src/predict/formats/picture-detections.js';
import type { TrainEvent, TrainOptions } from '../../src/train/index.js';
import { train } from '../../src/train/index.js';
import { readCheckpoint } from '../../src/weights/checkpoint.js';
import { requireRunFits } from '../schemas.js';
import { inTemporaryFolder } from '../temporary-folder.js';

/** A folder with a small rendered data set, removed after `use`. */
export async function withShapes<T>(use: (folder: string, data: string) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (folder) => {
    const data = join(folder, 'shapes');
    await renderShapes(data, { pictures: { train: 12, val: 4 }, size: 96, seed: 3 });
    return use(folder, data);
  });
}

/** The smallest run there is: 3 batches an epoch. */
export function small(data: string, out: string, more: Partial<TrainOptions> = {}): TrainOptions {
  return {
    model: 'refinedet-tiny-64',
    data,
    out,
    epochs: 2,
    batch: 4,
    evaluateEvery: 1,
    threads: 1,
    workers: 1,
    ...more,
  };
}

export async function eventsOf(options: TrainOptions): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of train(options)) events.push(event);
  const end = events.at(-1);
  if (end?.kind === 'end') requireRunFits(end.run);
  return events;
}

/** What a run left, and where its data were. */
interface TrainedRun {
  readonly events: readonly TrainEvent[];
  readonly data: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

const trainedRuns = new Map<string, TrainedRun>();

/**
 * As `eventsOf(small(…))` on the rendered data set as it is, but runs of equal settings are trained once in a test file:
 * then they are copied, as if they had been trained on these data, which are the same.
 */
export async function trainedRun(
  data: string,
  out: string,
  more: Partial<TrainOptions> = {},
): Promise<readonly TrainEvent[]> {
  const key = JSON.stringify(more);
  const before = trainedRuns.get(key);
  if (!before) {
    const events = await eventsOf(small(data, out, more));
    const files = await Promise.all(
      (await readdir(out)).map(async (name) => [name, await readFile(join(out, name))] as const),
    );
    trainedRuns.set(key, { events, data, files: new Map(files) });
    return events;
  }
  await mkdir(out);
  for (const [name, bytes] of before.files) {
    const isText = /\.jsonl?$/.test(name);
    await writeFile(join(out, name), isText ? bytes.toString().replaceAll(before.data, data) : bytes);
  }
  return before.events;
}

/** Parameters and optimizer state of a run's last checkpoint. */
export async function lastState(run: string): Promise<Map<string, Uint8Array>> {
  const { parameters, state } = await readCheckpoint(join(run, 'last.safetensors'));
  return new Map(
    [...parameters, ...state].map(([name, { data }]) => [
      name,
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ]),
  );
}

/** Goes on with a run. */
export function resumed(out: string): TrainOptions {
  return { model: '', data: '', out, resume: true, workers: 1 };
}

/** A detector's pictures as the evaluation takes them. */
export async function* asFound(pictures: readonly PictureDetections[]) {
  for (const { width, height, detections } of pictures) {
    const boxes = detections.flatMap(({ box }) => box);
    const labels = detections.map(({ labelIndex }) => labelIndex);
    yield { width, height, detections: { boxes, labels, scores: detections.map(({ score }) => score) } };
  }
}
