import { BoxwrightError, type ErrorCode } from '../../errors.js';
import type { CanvasSize, Frame, ResizeRule } from '../../models/canvas.js';
import { encodeTargets, type TargetSpec } from '../../models/targets.js';
import { augmentMixed } from '../augment/augment.js';
import { composeMosaic, type LabelledPicture } from '../augment/compose.js';
import type { PictureObjects } from '../augment/objects.js';
import { type Random, randomStream } from '../augment/random.js';
import type { AugmentationRecipe } from '../augment/recipe.js';
import { decodePicture } from '../decode.js';
import type { Picture } from '../picture.js';
import { type BatchArrays, type BatchShape, clearFrom, frameRow, stackTargets } from './batch.js';

/** What stays the same for all batches of a loader; plain data, sent to each worker once. */
export interface FillSetup extends BatchShape {
  readonly resize: ResizeRule;
  readonly augmentation: AugmentationRecipe;
  readonly seed: number;
  readonly targets?: TargetSpec;
}

/** A picture to be put into a batch. */
export interface FillEntry extends FillSource {
  /** Place in the batch. */
  readonly slot: number;
  /** Place in the epoch's order, which with seed and epoch decides the augmentation. */
  readonly position: number;
  /** Three pictures that make a mosaic with it. */
  readonly mosaic?: readonly FillSource[];
  /** A picture that shines through. */
  readonly mixUp?: FillSource;
}

/** A picture file with its objects. */
export interface FillSource {
  readonly path: string;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Boxes in pixels, labels counted from 1. */
  readonly objects: PictureObjects;
}

/** A batch to be filled, or some places of it. */
export interface FillTask {
  readonly epoch: number;
  /** Size of the batch's pictures. */
  readonly canvas: CanvasSize;
  readonly arrays: BatchArrays;
  readonly entries: readonly FillEntry[];
  /** Pictures in the whole batch. */
  readonly count: number;
}

/** A picture that could not be decoded. */
export interface FillFailure {
  readonly slot: number;
  readonly message: string;
}

/** The arrays again, and the places that stayed empty. */
export interface FillResult {
  readonly arrays: BatchArrays;
  readonly failures: readonly FillFailure[];
}

/**
 * Decodes, augments, resizes and encodes a task's pictures into its arrays. Pictures that cannot be decoded are in the
 * result's failures; anything else that goes wrong is thrown as a `BoxwrightError` naming the picture.
 */
export async function fillBatch(setup: FillSetup, task: FillTask): Promise<FillResult> {
  const failures: FillFailure[] = [];
  const { entries } = task;
  // libvips decodes on a thread of its own, so the next picture is decoded while this one is augmented.
  let ahead = entries.length > 0 ? startDecode(entries[0]) : undefined;
  for (const [i, entry] of entries.entries()) {
    const decoded = await ahead;
    ahead = i + 1 < entries.length ? startDecode(entries[i + 1]) : undefined;
    if (!decoded) continue;
    if (decoded.own instanceof BoxwrightError) failures.push({ slot: entry.slot, message: decoded.own.message });
    else placePicture(setup, task, entry, decoded.own, decoded);
  }
  clearFrom(task.arrays, setup.batchSize, task.count);
  return { arrays: task.arrays, failures };
}

/** An entry's pictures; what is mixed in is left out if it is broken, as it is told of in its own turn. */
interface DecodedEntry {
  readonly own: Picture | BoxwrightError;
  readonly mosaic: readonly LabelledPicture[];
  readonly mixUp: LabelledPicture | undefined;
}

async function startDecode(entry: FillEntry): Promise<DecodedEntry> {
  const { mosaic = [], mixUp } = entry;
  const [own, ...others] = await Promise.all([entry, ...mosaic, ...(mixUp ? [mixUp] : [])].map(decodeSource));
  const labelled = others.map((picture, i): LabelledPicture | undefined => {
    const { objects } = mosaic[i] ?? (mixUp as FillSource);
    return picture instanceof BoxwrightError ? undefined : { picture, objects };
  });
  const tiles = labelled.slice(0, mosaic.length).filter((tile) => tile !== undefined);
  return { own, mosaic: tiles.length === mosaic.length ? tiles : [], mixUp: labelled[mosaic.length] };
}

/** Failures are handed on as values: a rejection while the picture before is augmented would be an unhandled one. */
function decodeSource({ path, name, width, height }: FillSource): Promise<Picture | BoxwrightError> {
  return decodePicture(path, { name, width, height }).catch((error: BoxwrightError) => error);
}

/** The picture, or the mosaic that it is part of if there is room for its boxes. */
function composed(own: LabelledPicture, tiles: readonly LabelledPicture[], maxBoxes: number, random: Random) {
  if (tiles.length === 0) return own;
  const mosaic = composeMosaic([own, ...tiles], random);
  return mosaic.objects.labels.length > maxBoxes ? own : mosaic;
}

function placePicture(
  setup: FillSetup,
  task: FillTask,
  entry: FillEntry,
  picture: Picture,
  { mosaic, mixUp }: DecodedEntry,
): void {
  const { resize, augmentation, targets, maxBoxes, batchSize } = setup;
  const { arrays, canvas } = task;
  const { slot, name } = entry;
  const pixels = canvas.width * canvas.height * 3;
  const out = new Uint8ClampedArray(arrays.images.buffer, arrays.images.byteOffset + slot * pixels, pixels);
  try {
    const random = randomStream(setup.seed, task.epoch, entry.position);
    const target = { resize, canvas };
    const source = composed({ picture, objects: entry.objects }, mosaic, maxBoxes, random);
    const mixed = { other: mixUp, maxBoxes };
    const { objects, frame } = augmentMixed(augmentation, source, mixed, target, random, out);
    const boxes = Float32Array.from(objects.boxes);
    arrays.boxes.fill(0, slot * maxBoxes * 4, (slot + 1) * maxBoxes * 4).set(boxes, slot * maxBoxes * 4);
    arrays.labels.fill(0, slot * maxBoxes, (slot + 1) * maxBoxes).set(objects.labels, slot * maxBoxes);
    arrays.frames.set(frameRow(frame), slot * 4);
    arrays.sourceSizes.set([picture.width, picture.height], slot * 2);
    if (!targets) return;
    const extent = extentOf(resize, canvas, frame);
    const labelled = { canvas, extent, boxes, labels: objects.labels, random: () => random.uniform(0, 1) };
    stackTargets(arrays, batchSize, slot, encodeTargets(targets, labelled));
  } catch (cause) {
    const { code, message } = describeError(cause);
    throw new BoxwrightError(code, `${name}: ${message}`, { cause });
  }
}

/** What counts as picture in training. To the zoo its whole canvas does, padding included, wherever a flip moved it. */
function extentOf(resize: ResizeRule, canvas: CanvasSize, frame: Frame): CanvasSize {
  return resize.kind === 'keep-ratio' && resize.fixed ? canvas : frame;
}

/** An error as plain data, which crosses threads whole: a cloned error would lose its class and code. */
export function describeError(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof BoxwrightError) return { code: error.code, message: error.message };
  return { code: 'data', message: error instanceof Error ? error.message : String(error) };
}
