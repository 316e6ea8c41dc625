// Pictures decoded, augmented and resized to 320 against sharp's bare decode of the same files, in CPU time: every thread
// counts, so that the figures are those of one core and do not depend on what else the machine does.
import sharp from 'sharp';
import { newBatchArrays } from '../src/data/batches/batch.js';
import { fillBatch } from '../src/data/batches/fill.js';
import { learnableImages } from '../src/data/batches/learnable.js';
import { decodePicture } from '../src/data/decode.js';
import {
  type AugmentationRecipe,
  noAugmentation,
  openDataset,
  paperAugmentation,
  withExtras,
  zooAugmentation,
} from '../src/data/index.js';
import { ratio, table } from './timing.js';

const SIZE = 320;

type Images = ReturnType<typeof learnableImages>;

/** What is done with one picture. */
interface Case {
  readonly name: string;
  run(image: Images[number], position: number): Promise<unknown>;
}

/** Milliseconds of CPU time, of all threads. */
async function costOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Cases take turns picture by picture, one picture at a time: with the next one decoded meanwhile, as in training, the two
 * would be in each other's way on cores that are two threads of one. Of each picture the least and the median of all
 * repeats are added up, as other work on the machine only ever adds.
 */
export async function benchData(repeats: number, folder: string): Promise<void> {
  const dataset = await openDataset(folder, { part: 'trainval' });
  const images = learnableImages(dataset, {}).slice(0, Number(process.env.PICTURES ?? 64));
  const cases = casesOf(images);
  const sums = new Map(cases.map(({ name }) => [name, { least: 0, median: 0 }]));
  for (const [position, image] of images.entries()) {
    const costs = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const { name, run } of cases) costs.get(name)?.push(await costOf(() => run(image, position)));
    }
    for (const [name, own] of costs) {
      own.sort((a, b) => a - b);
      const sum = sums.get(name)!;
      sum.least += own[0];
      sum.median += own[own.length >> 1];
    }
  }
  const bare = sums.get('bare decode')!;
  const rows = cases.map(({ name }) => {
    const { least, median } = sums.get(name)!;
    const each = (least / images.length).toFixed(2);
    const perSecond = ((1000 * images.length) / least).toFixed(0);
    return [name, each, perSecond, ratio(bare.least / least), ratio(bare.median / median)];
  });
  const sizes = new Set(images.map(({ width, height }) => `${width}×${height}`));
  const versions = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
  console.log(
    `${images.length} pictures of ${[...sizes].join(', ')} to ${SIZE}×${SIZE}, best of ${repeats}; ${versions}`,
  );
  const header = ['case', 'CPU ms', 'pictures per core and second', 'of bare decode', 'median'];
  console.log(table(header, rows));
}

function casesOf(images: Images): Case[] {
  const recipes: Record<string, AugmentationRecipe> = {
    'decode and resize': noAugmentation,
    flip: { flip: true },
    "RefineDet's (SSD's)": paperAugmentation,
    "the zoo's": zooAugmentation,
    "RefineDet's, scale jitter, turns, cut-out": withExtras(paperAugmentation, ['scale-jitter', 'rotate90', 'cut-out']),
  };
  const maxBoxes = Math.max(...images.map(({ objects }) => objects.labels.length));
  const canvas = { width: SIZE, height: SIZE };
  const pipeline = (augmentation: AugmentationRecipe): Case['run'] => {
    const setup = { batchSize: 1, maxBoxes, resize: { kind: 'stretch', size: SIZE }, augmentation, seed: 0 } as const;
    const arrays = newBatchArrays(setup, canvas);
    // What a worker does; all repeats of a picture draw the same, so that the least is not that of the luckiest draw.
    return async (image, position) => {
      const entries = [{ ...image, slot: 0, position }];
      const { failures } = await fillBatch(setup, { epoch: 0, canvas, arrays, entries, count: 1 });
      if (failures.length > 0) throw new Error(failures[0].message);
    };
  };
  return [
    { name: 'bare decode', run: ({ path }) => sharp(path).raw().toBuffer() },
    { name: 'our decode', run: ({ path, name }) => decodePicture(path, { name }) },
    ...Object.entries(recipes).map(([name, augmentation]) => ({ name, run: pipeline(augmentation) })),
  ];
}
