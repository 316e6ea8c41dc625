import type { DatasetImage, GroundTruth, PixelBox } from './dataset.js';
import type { Inspection, SeenPicture } from './inspect.js';
import type { DatasetPart } from './writing/written-layout.js';

/** What a repair did. */
export interface Repaired {
  readonly parts: readonly DatasetPart[];
  /** Each thing that was done, with how often. */
  readonly done: readonly { readonly what: string; readonly count: number }[];
}

/** Sides may differ by so much in proportion for a picture to count as the annotated one, shrunk or enlarged. */
const SAME_RATIO = 0.01;

/**
 * A data set without what an inspection found: boxes without area or outside their picture are gone and others cut to it
 * (as in reading), boxes come once, and so do pictures, where parts share one it stays in the part that judges. Pictures
 * that cannot be decoded are left out. Boxes of a picture that was resized after it was labelled are scaled with it; one
 * of another shape than its annotation says is left out, as nobody knows where its boxes belong.
 */
export function repairDataset({ parts, pictures, problems }: Inspection): Repaired {
  const counts = new Map<string, number>();
  const count = (what: string, times = 1) => counts.set(what, (counts.get(what) ?? 0) + times);
  for (const { action } of problems) {
    if (action === 'dropped') count('unusable annotation or picture left out');
    if (action === 'clipped') count('box cut to its picture');
  }
  const kept = new Set<string>();
  // The parts that judge come first, so that it is training that loses a shared picture.
  const order = [...parts.keys()].sort((a, b) => judges(parts[b].name) - judges(parts[a].name));
  const repaired: DatasetPart[] = [];
  for (const i of order) {
    const { name, dataset } = parts[i];
    const images = dataset.images.flatMap((image) => {
      const seen = pictures.get(image.path);
      if (!seen?.size) {
        count('picture that cannot be decoded left out');
        return [];
      }
      if (kept.has(seen.digest as string)) {
        count('picture that is there already left out');
        return [];
      }
      const fitted = fitTo(image, seen);
      if (!fitted) {
        count('picture of another shape than its annotation says left out');
        return [];
      }
      if (fitted.width !== image.width) count('picture whose boxes were scaled to its size');
      kept.add(seen.digest as string);
      const objects = withoutTwins(fitted.objects);
      if (objects.length < fitted.objects.length)
        count('box that is there already left out', fitted.objects.length - objects.length);
      return [{ ...fitted, objects }];
    });
    repaired[i] = { name, dataset: { ...dataset, images, problems: [] } };
  }
  return { parts: repaired, done: [...counts].map(([what, times]) => ({ what, count: times })) };
}

function judges(part: string | undefined): number {
  return /^(val|test)/i.test(part ?? '') ? 1 : 0;
}

/** The picture with its file's size, and boxes as they are trained on. */
function fitTo(image: DatasetImage, { size }: SeenPicture): DatasetImage | undefined {
  if (!size) return undefined;
  const [scaleX, scaleY] = [size.width / image.width, size.height / image.height];
  if (Math.abs(scaleX / scaleY - 1) > SAME_RATIO) return undefined;
  const objects = image.objects.map((object): GroundTruth => {
    const { annotated: _annotated, ...rest } = object;
    if (scaleX === 1 && scaleY === 1) return rest;
    const box = object.box.map((side, i) => side * (i % 2 === 0 ? scaleX : scaleY)) as PixelBox;
    return { ...rest, box, ...(object.area === undefined ? {} : { area: object.area * scaleX * scaleY }) };
  });
  return { ...image, ...size, objects };
}

/** Each box of a class once. */
function withoutTwins(objects: readonly GroundTruth[]): GroundTruth[] {
  const known = new Set<string>();
  return objects.filter(({ label, box }) => {
    const key = `${label}:${box.join(',')}`;
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}
