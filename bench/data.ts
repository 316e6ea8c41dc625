// Pictures decoded, augmented and resized to 320 against sharp's bare decode of the same files, in CPU time: every thread
// counts, so that the figures are those of one core and do not depend on what else the machine does.
import { availableParallelism } from 'node:os';
import sharp from 'sharp';
import { newBatchArrays } from '../src/data/batch.js';
import { decodePicture } from '../src/data/decode.js';
import { fillBatch } from '../src/data/fill.js';
import {
  type AugmentationRecipe,
  noAugmentation,
  openDataset,
  paperAugmentation,
  withExtras,
  zooAugmentation,
} from '../src/data/index.js';
import { learnableImages } from '../src/data/learnable.js';
import { table } from './timing.js';

const SIZE = 320;

/** Milliseconds of CPU time of a run, of all threads, and of the clock. */
interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

interface Case {
  readonly name: string;
  run(): Promise<void>;
}

async function costOf(run: () => Promise<void>): Promise<Cost> {
  const [before, start] = [process.cpuUsage(), performance.now()];
  await run();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1000, wall: performance.now() - start };
}

export async function benchData(repeats: number, folder: string): Promise<void> {
  const dataset = await openDataset(folder, { part: 'trainval' });
  const images = learnableImages(dataset, {}).slice(0, Number(process.env.PICTURES ?? 128));
  const cases = casesOf(images);
  const costs = new Map<string, Cost[]>(cases.map(({ name }) => [name, []]));
  for (const { run } of cases) await run();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const { name, run } of cases) costs.get(name)?.push(await costOf(run));
  }
  const best = new Map([...costs].map(([name, own]) => [name, Math.min(...own.map(({ cpu }) => cpu))]));
  const bare = best.get('bare decode') as number;
  const rows = cases.map(({ name }) => {
    const own = (costs.get(name) as Cost[]).map(({ cpu }) => cpu).sort((a, b) => a - b);
    const [least, middle] = [own[0], own[own.length >> 1]];
    const perSecond = (cpu: number) => ((1000 * images.length) / cpu).toFixed(0);
    return [name, perSecond(least), perSecond(middle), (bare / least).toFixed(2)];
  });
  const sizes = new Set(images.map(({ width, height }) => `${width}×${height}`));
  console.log(
    `${images.length} pictures of ${[...sizes].join(', ')} to ${SIZE}×${SIZE}; ${availableParallelism()} cores, sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`,
  );
  console.log(table(['case', 'pictures per core and second, best', 'median', 'of bare decode'], rows));
}

function casesOf(images: ReturnType<typeof learnableImages>): Case[] {
  const recipes: Record<string, AugmentationRecipe> = {
    'decode and resize': noAugmentation,
    flip: { flip: true },
    "RefineDet's (SSD's)": paperAugmentation,
    "the zoo's": zooAugmentation,
    "RefineDet's with scale jitter, turns and cut-out": withExtras(paperAugmentation, [
      'scale-jitter',
      'rotate90',
      'cut-out',
    ]),
  };
  return [
    {
      name: 'bare decode',
      run: async () => {
        for (const { path } of images) await sharp(path).raw().toBuffer();
      },
    },
    {
      name: 'our decode',
      run: async () => {
        for (const { path, name } of images) await decodePicture(path, { name });
      },
    },
    ...Object.entries(recipes).map(([name, augmentation]) => ({ name, run: () => pipeline(images, augmentation) })),
  ];
}

/**
 * What a worker does, in this thread, one picture after the other: with the next one decoded meanwhile the two would be in
 * each other's way on cores that are two threads of one.
 */
async function pipeline(images: ReturnType<typeof learnableImages>, augmentation: AugmentationRecipe): Promise<void> {
  const maxBoxes = Math.max(...images.map(({ objects }) => objects.labels.length));
  const setup = { batchSize: 1, maxBoxes, resize: { kind: 'stretch', size: SIZE }, augmentation, seed: 0 } as const;
  const canvas = { width: SIZE, height: SIZE };
  let arrays = newBatchArrays(setup, canvas);
  for (const [position, image] of images.entries()) {
    const entries = [{ ...image, slot: 0, position }];
    const result = await fillBatch(setup, { epoch: 0, canvas, arrays, entries, count: 1 });
    if (result.failures.length > 0) throw new Error(result.failures[0].message);
    arrays = result.arrays;
  }
}
