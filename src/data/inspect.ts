import { createHash } from 'node:crypto';
import { BoxwrightError } from '../errors.js';
import { type DataProblem, type Dataset, type DatasetImage, type GroundTruth, placeOf } from './dataset.js';
import { decodePicture } from './decode.js';
import type { OpenOptions } from './layout.js';
import { findDataset } from './open.js';
import { mainParts } from './parts.js';

/** A problem and the part it was found in. */
export interface InspectedProblem extends DataProblem {
  readonly part?: string;
}

/** What was seen of a picture file. */
export interface SeenPicture {
  /** Its upright size; undefined if it cannot be decoded. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Of its pixels. */
  readonly digest?: string;
}

/** A part with everything that is odd in it. */
export interface InspectedPart {
  /** Undefined if the data set is one whole. */
  readonly name: string | undefined;
  readonly dataset: Dataset;
}

/** A data set that was looked through. */
export interface Inspection {
  readonly path: string;
  readonly note: string;
  readonly format: Dataset['format'];
  readonly classes: readonly string[];
  readonly parts: readonly InspectedPart[];
  readonly problems: readonly InspectedProblem[];
  /** By path. */
  readonly pictures: ReadonlyMap<string, SeenPicture>;
}

/** How a data set is looked through. */
export interface InspectOptions extends Omit<OpenOptions, 'tolerant' | 'classes'> {
  /** Told as pictures are looked at. */
  readonly onPicture?: (done: number, total: number) => void;
}

/** Pictures that are decoded at the same time. */
const AT_ONCE = 4;

/**
 * Looks through a data set: reads every annotation of its parts, decodes every picture, and gathers all that is odd
 * instead of stopping at the first.
 *
 * @throws BoxwrightError as `openDataset` for what leaves nothing to look at; `aborted` if the signal says so.
 */
export async function inspectDataset(path: string, options: InspectOptions = {}): Promise<Inspection> {
  const found = await findDataset(path, options.format);
  const names = options.part === undefined ? mainParts(found.parts) : [options.part];
  const wanted = names.length > 0 ? names : [undefined];
  const parts: InspectedPart[] = [];
  for (const name of wanted) {
    // A data set whose only part has a name that says nothing, such as COCO's `default`.
    const part = name ?? (found.parts.length === 1 ? found.parts[0] : undefined);
    parts.push({ name, dataset: await found.read({ ...options, part, tolerant: true }) });
  }
  const [{ dataset: first }] = parts;
  const images = parts.flatMap(({ dataset }) => dataset.images);
  const pictures = await lookAt(images, options);
  const problems = [
    ...parts.flatMap(({ name, dataset }) => [
      ...dataset.problems.map((problem) => ({ ...problem, part: name })),
      ...dataset.images.flatMap((image) => oddities(image, pictures, dataset.classes, name)),
    ]),
    ...samePictures(parts, pictures),
    ...unusedClasses(parts, path),
  ];
  return {
    path,
    note: first.note ?? found.note,
    format: found.format,
    classes: first.classes,
    parts,
    problems,
    pictures,
  };
}

/** Decodes every picture once. */
async function lookAt(
  images: readonly DatasetImage[],
  { onPicture, signal }: InspectOptions,
): Promise<Map<string, SeenPicture>> {
  const paths = [...new Map(images.map((image) => [image.path, image.name]))];
  const seen = new Map<string, SeenPicture>();
  for (let start = 0; start < paths.length; start += AT_ONCE) {
    if (signal?.aborted) throw new BoxwrightError('aborted', 'Stopped while pictures were looked at');
    const some = paths.slice(start, start + AT_ONCE);
    const pictures = await Promise.all(some.map(([path, name]) => seePicture(path, name)));
    for (const [i, [path]] of some.entries()) seen.set(path, pictures[i]);
    onPicture?.(seen.size, paths.length);
  }
  return seen;
}

async function seePicture(path: string, name: string): Promise<SeenPicture> {
  try {
    const { width, height, data } = await decodePicture(path, { name });
    // Pixels, not bytes: a copy with other metadata is a copy all the same.
    const digest = createHash('sha1').update(`${width}×${height}`).update(data).digest('hex');
    return { size: { width, height }, digest };
  } catch (error) {
    if (error instanceof BoxwrightError && error.code === 'data') return {};
    throw error;
  }
}

/** What is odd in one picture: its file, and boxes that come twice. */
function oddities(
  { path, name, width, height, objects }: DatasetImage,
  pictures: ReadonlyMap<string, SeenPicture>,
  classes: readonly string[],
  part: string | undefined,
): InspectedProblem[] {
  const problems: InspectedProblem[] = [];
  const size = pictures.get(path)?.size;
  if (!size) {
    const what = 'the picture cannot be decoded';
    problems.push({ kind: 'broken picture', file: name, what, action: 'kept', part });
  } else if (size.width !== width || size.height !== height) {
    const what = `the annotations say ${width}×${height} pixels, the picture has ${size.width}×${size.height}`;
    problems.push({ kind: 'other size', file: name, what, action: 'kept', part });
  }
  const known = new Map<string, GroundTruth>();
  for (const object of objects) {
    const key = object.box.join(',');
    const former = known.get(key);
    known.set(key, former ?? object);
    if (!former) continue;
    const other = former.label === object.label ? 'the same class' : `class '${classes[former.label]}'`;
    const first = former.origin && placeOf({ ...former.origin, file: '' }).replace(/^, /, '');
    const what = `box [${key}] of '${classes[object.label]}' is there already, of ${other}${first ? ` (${first})` : ''}`;
    const origin = object.origin ?? { file: name };
    problems.push({ kind: 'duplicate box', ...origin, what, action: 'kept', part });
  }
  return problems;
}

/** Pictures of equal pixels: in one part a waste, in two parts a leak, as the model is judged on what it has learnt. */
function samePictures(parts: readonly InspectedPart[], pictures: ReadonlyMap<string, SeenPicture>): InspectedProblem[] {
  const first = new Map<string, { name: string; part: string | undefined }>();
  const problems: InspectedProblem[] = [];
  for (const { name: part, dataset } of parts) {
    for (const { path, name } of dataset.images) {
      const digest = pictures.get(path)?.digest;
      if (digest === undefined) continue;
      const former = first.get(digest);
      if (!former) first.set(digest, { name, part });
      else {
        const leak = former.part !== part;
        const where = leak ? ` of part '${former.part}'` : '';
        const what = `the picture is the same as ${former.name}${where}`;
        problems.push({ kind: leak ? 'leak' : 'duplicate picture', file: name, what, action: 'kept', part });
      }
    }
  }
  return problems;
}

function unusedClasses(parts: readonly InspectedPart[], path: string): InspectedProblem[] {
  const [{ dataset }] = parts;
  const seen = new Set(
    parts.flatMap((part) => part.dataset.images.flatMap(({ objects }) => objects.map(({ label }) => label))),
  );
  return dataset.classes
    .filter((_, label) => !seen.has(label))
    .map((name) => ({ kind: 'unused class', file: path, what: `class '${name}' has no object`, action: 'kept' }));
}
