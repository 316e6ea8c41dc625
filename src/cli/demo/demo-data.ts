import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { type Random, randomStream } from '../../data/augment/random.js';
import { BoxwrightError } from '../../errors.js';
import { writeError, writeFileAtomically } from '../../weights/atomic-file.js';
import { composeScene, type Scene, sceneSvg, shapeNames } from './demo-scene.js';

export interface ShapesOptions {
  /** Number of pictures of each part; default 480 to train and 80 to evaluate. */
  readonly pictures?: { readonly train: number; readonly val: number };
  /** Equal seeds give equal pictures; default 1. */
  readonly seed?: number;
  /** Width and height of the pictures in pixels; default 192. */
  readonly size?: number;
  readonly onPicture?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What a folder was rendered with; kept in its annotation files and compared before it is used again. */
interface Recipe {
  readonly version: number;
  readonly train: number;
  readonly val: number;
  readonly seed: number;
  readonly size: number;
}

/** To be raised with every change of the pictures, so that those of an older release are not taken for today's. */
const version = 2;

/** Pictures that are encoded at the same time: enough to keep a few cores busy. */
const batch = 8;

/**
 * Renders the demo's data set: circles, squares, triangles and stars over noise and clutter, in COCO's layout (`train/`,
 * `val/`, `annotations/instances_*.json`). Boxes are exact and go around what is seen of a shape.
 *
 * The folder appears once it is whole. If it is there already, rendered with the same options, nothing is done.
 *
 * @returns whether pictures were rendered.
 * @throws BoxwrightError `data` if the folder holds something else; `io` if it cannot be written; `aborted` by the signal.
 *   Nothing is left behind then.
 */
export async function renderShapes(folder: string, options: ShapesOptions = {}): Promise<boolean> {
  const { pictures = { train: 480, val: 80 }, seed = 1, size = 192 } = options;
  const recipe: Recipe = { version, train: pictures.train, val: pictures.val, seed, size };
  if (await isRendered(folder, recipe)) return false;
  const total = pictures.train + pictures.val;
  const temporary = join(dirname(folder), `.${basename(folder)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    await mkdir(temporary, { recursive: true });
    let before = 0;
    for (const [index, part] of (['train', 'val'] as const).entries()) {
      await renderPart(temporary, part, index, recipe, (done) => {
        options.onPicture?.(before + done, total);
        if (options.signal?.aborted) throw new BoxwrightError('aborted', 'Stopped while pictures were rendered.');
      });
      before += recipe[part];
    }
    await rename(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw writeError(folder, cause);
  }
  return true;
}

async function isRendered(folder: string, recipe: Recipe): Promise<boolean> {
  const file = join(folder, 'annotations', 'instances_val.json');
  let found: unknown;
  try {
    found = (JSON.parse(await readFile(file, 'utf8')) as { info?: { recipe?: unknown } }).info?.recipe;
  } catch (cause) {
    // Where there is nothing, rendering may begin; an unreadable file is somebody else's.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
  }
  if (JSON.stringify(found) === JSON.stringify(recipe)) return true;
  const difference = found
    ? `was rendered with ${JSON.stringify(found)}, not ${JSON.stringify(recipe)}`
    : 'is not of the demo';
  throw new BoxwrightError('data', `${folder}: the data set there ${difference}; remove it or choose another folder`);
}

async function renderPart(
  folder: string,
  part: 'train' | 'val',
  partIndex: number,
  recipe: Recipe,
  onPicture: (done: number) => void,
): Promise<void> {
  await mkdir(join(folder, part));
  const scenes: Scene[] = [];
  for (let start = 0; start < recipe[part]; start += batch) {
    const ids = Array.from({ length: Math.min(batch, recipe[part] - start) }, (_, i) => start + i);
    const files = ids.map((index) => {
      const random = randomStream(recipe.seed, partIndex, index);
      const scene = composeScene(random, recipe.size);
      scenes.push(scene);
      return renderScene(scene, random, recipe.size, join(folder, part, fileName(index)));
    });
    await Promise.all(files);
    onPicture(scenes.length);
  }
  await mkdir(join(folder, 'annotations'), { recursive: true });
  const annotations = cocoAnnotations(scenes, part, recipe);
  await writeFileAtomically(join(folder, 'annotations', `instances_${part}.json`), JSON.stringify(annotations));
}

async function renderScene(scene: Scene, random: Random, size: number, path: string): Promise<void> {
  await sharp(groundPixels(scene, random, size), { raw: { width: size, height: size, channels: 3 } })
    .composite([{ input: Buffer.from(sceneSvg(scene, size)) }])
    .removeAlpha()
    .jpeg({ quality: 92 })
    .toFile(path);
}

/** A slope from one colour to another in a random direction, with noise. */
function groundPixels({ ground: [from, to] }: Scene, random: Random, size: number): Uint8Array {
  const pixels = new Uint8Array(size * size * 3);
  const angle = random.uniform(0, 2 * Math.PI);
  const [dx, dy] = [Math.cos(angle) / (1.5 * size), Math.sin(angle) / (1.5 * size)];
  const noise = random.uniform(2, 30);
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const part = 0.5 + (x - size / 2) * dx + (y - size / 2) * dy;
      const grain = random.uniform(-noise, noise);
      for (let c = 0; c < 3; c++, at++) {
        pixels[at] = Math.max(0, Math.min(255, from[c] + part * (to[c] - from[c]) + grain));
      }
    }
  }
  return pixels;
}

function cocoAnnotations(scenes: readonly Scene[], part: string, recipe: Recipe) {
  const { size } = recipe;
  const images = scenes.map((_, i) => ({ id: i + 1, file_name: fileName(i), width: size, height: size }));
  const found = scenes.flatMap(({ shapes }, i) => shapes.map((shape) => ({ ...shape, image: i + 1 })));
  const annotations = found.map(({ label, seen, image }, i) => {
    const [x1, y1, x2, y2] = seen.box!.map(hundredths);
    const bbox = [x1, y1, hundredths(x2 - x1), hundredths(y2 - y1)];
    return { id: i + 1, image_id: image, category_id: label + 1, bbox, area: hundredths(seen.area), iscrowd: 0 };
  });
  const categories = shapeNames.map((name, label) => ({ id: label + 1, name, supercategory: 'shape' }));
  const info = { description: `shapes rendered by boxwright (${part})`, recipe };
  return { info, images, annotations, categories };
}

function fileName(index: number): string {
  return `${String(index + 1).padStart(6, '0')}.jpg`;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
