// What `boxwright detect` does; its command line is in detect.ts.
import { openDataset } from '../data/open.js';
import type { Provider } from '../engine/protocol.js';
import { BoxwrightError } from '../errors.js';
import { Detector } from '../predict/detector.js';
import {
  type CocoIds,
  type DetectionFormat,
  jsonPicture,
  type PictureDetections,
  writeDetections,
} from '../predict/formats/index.js';
import type { BrokenPicture } from '../predict/picture-detector.js';
import type { TestTime } from '../predict/test-time.js';
import { imageIds } from './coco-image-ids.js';
import type { Context } from './command.js';
import { Drawings } from './drawings.js';
import { requireEmptyFolder, requireTarget } from './free-target.js';
import { type PicturePath, picturePaths } from './picture-paths.js';
import { pullProgress } from './pull-progress.js';

export interface DetectArguments {
  readonly source: string;
  /** For weights that do not say them themselves. */
  readonly model?: string;
  readonly classes?: readonly string[];
  /** Files, folders or patterns. */
  readonly pictures: readonly string[];
  readonly minScore: number | 'suggested';
  readonly batch: number;
  readonly provider: Provider;
  readonly threads?: number;
  readonly testTime?: TestTime;
  readonly json: boolean;
  readonly format?: 'json' | 'coco' | 'voc' | 'yolo';
  readonly out?: string;
  readonly draw?: string;
  readonly force: boolean;
  readonly groundTruth?: string;
}

interface Counts {
  done: number;
  broken: number;
  objects: number;
  readonly total: number;
}

/** Detects in all pictures and gives the exit code: 1 if some of them could not be read. */
export async function detectPictures(args: DetectArguments, context: Context): Promise<number> {
  const { out, format, force, minScore, provider, threads, batch, testTime } = args;
  const pictures = await picturePaths(args.pictures);
  const drawings = args.draw === undefined ? undefined : Drawings.plan(args.draw, pictures, force);
  if (out && (format === 'voc' || format === 'yolo')) await requireEmptyFolder(out, force);
  else if (out) requireTarget(out, force);
  await using detector = await Detector.load(args.source, {
    ...{ provider, threads, minScore, testTime, model: args.model, classes: args.classes },
    ...{ signal: context.signal, onProgress: pullProgress(context.terminal) },
  });
  if (detector.note !== undefined) context.terminal.note(detector.note);
  const cocoIds = args.groundTruth && format === 'coco' ? await idsOf(args.groundTruth, detector.classes) : undefined;
  const counts: Counts = { done: 0, broken: 0, objects: 0, total: pictures.length };
  const paths = pictures.map(({ path }) => path);
  const found = detector.stream(paths, { batch, broken: 'report', signal: context.signal });
  const began = performance.now();
  const shown = showEach(found, pictures, drawings, args.json, counts, context);
  if (out) await writeDetections(nameOf(format), out, shown, { cocoIds });
  else for await (const _ of shown) if (!drawings) context.terminal.requireReader();
  return summary(counts, performance.now() - began, context);
}

function nameOf(format: DetectArguments['format']): DetectionFormat {
  return format === undefined || format === 'json' ? 'jsonl' : format;
}

/** Prints and draws every picture as it comes, and hands it on; those that cannot be read are told of and left out. */
async function* showEach(
  found: AsyncIterable<PictureDetections | BrokenPicture>,
  pictures: readonly PicturePath[],
  drawings: Drawings | undefined,
  json: boolean,
  counts: Counts,
  { terminal }: Context,
): AsyncGenerator<PictureDetections, void, undefined> {
  for await (const picture of found) {
    const { path } = pictures[counts.done++];
    if ('error' in picture) {
      counts.broken++;
      const { source, error } = picture;
      terminal.warn(error.message);
      // A line for every picture that was given, so that nobody has to count.
      if (json) await terminal.printJson({ source, error: { code: error.code, message: error.message } });
      continue;
    }
    counts.objects += picture.detections.length;
    const drawing = await drawings?.draw(path, picture);
    const written = drawing === undefined ? undefined : { draw: { path: drawing } };
    if (json) await terminal.printJson({ ...jsonPicture(picture), written });
    else for (const line of described(picture, counts.total === 1)) await terminal.print(line);
    terminal.progress(`${counts.done} of ${counts.total} pictures`, counts.done / counts.total);
    yield picture;
  }
}

/** A line with the number of each class; every detection if there is only one picture. */
function described({ source, width, height, detections }: PictureDetections, every: boolean): string[] {
  const numbers = new Map<string, number>();
  for (const { label } of detections) numbers.set(label, (numbers.get(label) ?? 0) + 1);
  const found = [...numbers].map(([label, count]) => `${count} ${label}`).join(', ') || 'nothing';
  if (!every) return [`${source}: ${found}`];
  const rows = detections.map(({ box, label, score }) => {
    return `  ${score.toFixed(3)}  ${label}  [${box.map((side) => side.toFixed(1)).join(', ')}]`;
  });
  return [`${source} (${width}×${height}): ${found}`, ...rows];
}

/** Image ids by file name and category ids by the model's classes, from a COCO file. */
async function idsOf(file: string, classes: readonly string[]): Promise<CocoIds> {
  const dataset = await openDataset(file);
  if (!dataset.categoryIds) {
    throw new BoxwrightError('data', `${file}: is no COCO file, which alone has image and category ids.`);
  }
  const categories = new Map(dataset.classes.map((name, i) => [name, dataset.categoryIds?.[i]]));
  const categoryIds = classes.map((name) => {
    const id = categories.get(name);
    if (id !== undefined) return id;
    const known = dataset.classes.join(', ');
    throw new BoxwrightError('data', `${file}: it has no category "${name}", which the model knows (it has ${known}).`);
  });
  return { categoryIds, imageId: imageIds(dataset.images) };
}

function summary({ done, broken, objects, total }: Counts, ms: number, { terminal }: Context): number {
  if (total > 1) {
    const rate = `${(ms / 1000).toFixed(1)} s, ${((done / ms) * 1000).toFixed(1)} a second`;
    const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
    terminal.note(`${counted(objects, 'object')} in ${counted(done - broken, 'picture')} (${rate})`);
  }
  if (broken === 0) return 0;
  terminal.note(`${broken} of ${total} pictures could not be read.`);
  return 1;
}
