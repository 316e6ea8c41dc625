import type { PictureDetections } from '../predict/formats/picture-detections.js';
import type { DetectionFormat } from '../predict/formats/write.js';
import { type Context, command, engineOptions, UsageError } from './command.js';
import type { PicturePath } from './picture-paths.js';

const formats = ['json', 'coco', 'voc', 'yolo'] as const;

interface DetectArguments {
  readonly model: string;
  readonly pictures: string[];
  readonly json: boolean;
  readonly format?: (typeof formats)[number];
  readonly out?: string;
  readonly draw?: string;
  readonly force: boolean;
  readonly groundTruth?: string;
}

export const detectCommand = command({
  usage: 'detect <model> <pictures..>',
  about: 'Find objects in pictures',
  positionals: {
    model: { type: 'string', demandOption: true, describe: 'Run folder, .safetensors checkpoint or exported .onnx' },
    pictures: { type: 'string', array: true, demandOption: true, describe: 'Files, folders or glob patterns' },
  },
  options: {
    'min-score': { type: 'number', default: 0.3, describe: 'Leave out detections of a lower score, 0 to 1' },
    json: { type: 'boolean', default: false, describe: 'Print one line of JSON a picture, and nothing else' },
    draw: { type: 'string', describe: 'Folder for pictures with the boxes drawn in' },
    format: { choices: formats, describe: 'Format of --out: a file (json, coco) or a folder (voc, yolo)' },
    out: { type: 'string', describe: 'Where to write the detections; JSON lines without --format' },
    'ground-truth': { type: 'string', describe: 'COCO file that has the image and category ids, for --format coco' },
    force: { type: 'boolean', default: false, describe: 'Replace what is already at --out and in --draw' },
    batch: { type: 'number', default: 1, describe: 'Pictures in one run of the model, if of equal size' },
    ...engineOptions,
  },
  examples: [
    ['detect runs/cells photo.jpg', 'what is in a picture'],
    ['detect runs/cells photos/ --draw drawn', 'the boxes drawn into every picture of a folder'],
    ["detect cells.onnx 'photos/*.png' --json", 'for programs'],
  ],
  async run({ 'min-score': minScore, 'ground-truth': groundTruth, ...args }, context) {
    if (args.format && !args.out) throw new UsageError('--format needs --out, the file or folder to write.');
    if (args.format === 'coco' && !groundTruth)
      throw new UsageError('--format coco needs the ids: give --ground-truth.');
    if (!(minScore >= 0 && minScore <= 1))
      throw new UsageError(`--min-score is ${minScore}; give a number from 0 to 1.`);
    const { picturePaths } = await import('./picture-paths.js');
    const pictures = await picturePaths(args.pictures);
    const outputs = { ...args, groundTruth };
    await requireFree(outputs);
    const { Detector } = await import('../predict/detector.js');
    const { provider, threads, batch } = args;
    await using detector = await Detector.load(args.model, { provider, threads, minScore });
    const counts: Counts = { done: 0, broken: 0, objects: 0, total: pictures.length };
    const found = detector.stream(
      pictures.map(({ path }) => path),
      { batch, broken: 'report', signal: context.signal },
    );
    const began = performance.now();
    await write(outputs, detector.classes, eachPicture(found, pictures, outputs, counts, context));
    return summary(counts, performance.now() - began, context);
  },
});

interface Counts {
  done: number;
  broken: number;
  objects: number;
  readonly total: number;
}

type Found = AsyncIterable<PictureDetections | { readonly source: string; readonly error: Error }>;

/** Prints and draws every picture as it comes, and hands it on; those that cannot be read are told of and left out. */
async function* eachPicture(
  found: Found,
  pictures: readonly PicturePath[],
  { json, draw, force }: DetectArguments,
  counts: Counts,
  { terminal }: Context,
): AsyncGenerator<PictureDetections, void, undefined> {
  const { jsonLine } = await import('../predict/formats/json-lines.js');
  for await (const picture of found) {
    const { name } = pictures[counts.done++];
    if ('error' in picture) {
      counts.broken++;
      terminal.warn(picture.error.message);
      continue;
    }
    counts.objects += picture.detections.length;
    if (draw) await drawInto(draw, name, picture, force);
    if (json) await terminal.print(jsonLine(picture));
    else for (const line of described(picture, counts.total === 1)) await terminal.print(line);
    terminal.progress(`${counts.done} of ${counts.total} pictures`);
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

async function drawInto(folder: string, name: string, picture: PictureDetections, force: boolean): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  const { dirname, extname, join, resolve } = await import('node:path');
  const { BoxwrightError } = await import('../errors.js');
  const { writeError } = await import('../weights/atomic-file.js');
  const { drawDetectionsTo } = await import('../report/draw.js');
  const jpeg = ['.jpg', '.jpeg'].includes(extname(name).toLowerCase());
  const path = join(folder, jpeg ? name : `${name.slice(0, name.length - extname(name).length)}.png`);
  if (resolve(path) === resolve(picture.source)) {
    throw new BoxwrightError('io', `${path}: drawing would replace the picture itself; choose another --draw folder.`);
  }
  if (!force) await requireNoFile(path);
  await mkdir(dirname(path), { recursive: true }).catch((cause) => Promise.reject(writeError(dirname(path), cause)));
  await drawDetectionsTo(path, picture.source, picture.detections);
}

async function requireFree({ out, format, force }: DetectArguments): Promise<void> {
  if (!out || force) return;
  if (format !== 'voc' && format !== 'yolo') return requireNoFile(out);
  const { readdir } = await import('node:fs/promises');
  const { BoxwrightError } = await import('../errors.js');
  const names = await readdir(out).catch(() => []);
  if (names.length > 0)
    throw new BoxwrightError('io', `${out}: the folder is not empty; choose another, or use --force.`);
}

async function requireNoFile(path: string): Promise<void> {
  const { existsSync } = await import('node:fs');
  const { BoxwrightError } = await import('../errors.js');
  if (existsSync(path)) throw new BoxwrightError('io', `${path}: exists already; choose another name, or use --force.`);
}

/** Takes the pictures to their end, into `--out` if there is one. */
async function write(
  { out, format, groundTruth }: DetectArguments,
  classes: readonly string[],
  pictures: AsyncIterable<PictureDetections>,
): Promise<void> {
  if (!out) {
    for await (const _ of pictures);
    return;
  }
  const { writeDetections } = await import('../predict/formats/write.js');
  const written: DetectionFormat = format === undefined || format === 'json' ? 'jsonl' : format;
  const cocoIds = groundTruth && format === 'coco' ? await idsOf(groundTruth, classes) : undefined;
  await writeDetections(written, out, pictures, { cocoIds });
}

/** Image ids by file name and category ids by the model's classes, from a COCO file. */
async function idsOf(file: string, classes: readonly string[]) {
  const { basename } = await import('node:path');
  const { BoxwrightError } = await import('../errors.js');
  const { openDataset } = await import('../data/open.js');
  const dataset = await openDataset(file);
  const categories = new Map(dataset.classes.map((name, i) => [name, dataset.categoryIds?.[i]]));
  const categoryIds = classes.map((name) => {
    const id = categories.get(name);
    if (id !== undefined) return id;
    const known = dataset.classes.join(', ');
    throw new BoxwrightError('data', `${file}: it has no category "${name}", which the model knows (it has ${known}).`);
  });
  const images = new Map(dataset.images.map(({ name, id }) => [basename(name), Number(id)]));
  return { categoryIds, imageId: (source: string) => images.get(basename(source)) };
}

function summary({ done, broken, objects, total }: Counts, ms: number, { terminal }: Context): number {
  if (total > 1) {
    const rate = `${(ms / 1000).toFixed(1)} s, ${((done / ms) * 1000).toFixed(1)} a second`;
    terminal.note(`${objects} objects in ${done - broken} pictures (${rate})`);
  }
  if (broken === 0) return 0;
  terminal.note(`${broken} of ${total} pictures could not be read.`);
  return 1;
}
