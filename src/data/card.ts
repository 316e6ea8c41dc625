import type { DatasetFormat, GroundTruth, ProblemKind } from './dataset.js';
import type { InspectedProblem, Inspection } from './inspect.js';

/** What a data set holds, in numbers. */
export interface DataCard {
  readonly path: string;
  readonly format: DatasetFormat;
  /** How the format was recognised. */
  readonly note: string;
  readonly pictures: number;
  readonly boxes: number;
  /** Pictures without a box. */
  readonly empty: number;
  readonly difficult: number;
  readonly truncated: number;
  readonly crowd: number;
  readonly parts: readonly { readonly name?: string; readonly pictures: number; readonly boxes: number }[];
  readonly boxesPerPicture: {
    readonly least: number;
    readonly median: number;
    readonly mean: number;
    readonly most: number;
  };
  /** Sizes of pictures in pixels, the most frequent first. */
  readonly pictureSizes: readonly { readonly width: number; readonly height: number; readonly count: number }[];
  /** COCO's areas: below 32², below 96², above; of the segmentation where there is one, as its metric sorts. */
  readonly areas: { readonly small: number; readonly medium: number; readonly large: number };
  /** Boxes by the root of their area, in pixels; the last bin has no end. */
  readonly sizes: readonly { readonly from: number; readonly to?: number; readonly count: number }[];
  /** In the order of the classes. */
  readonly perClass: readonly ClassCard[];
  /** How often each kind of problem was found. */
  readonly problemCounts: Readonly<Partial<Record<ProblemKind, number>>>;
  readonly problems: readonly InspectedProblem[];
}

/** What a data set holds of one class. */
export interface ClassCard {
  readonly name: string;
  readonly boxes: number;
  readonly pictures: number;
  readonly difficult: number;
  readonly crowd: number;
  /** Middle width and height in pixels; absent without boxes. */
  readonly medianSize?: readonly [width: number, height: number];
}

/** Bounds of the size histogram's bins, in pixels. */
const bounds = [0, 8, 16, 32, 64, 96, 128, 192, 256, 512] as const;

/** COCO's bounds between small, medium and large. */
const SMALL = 32 ** 2;
const LARGE = 96 ** 2;

/** The numbers of an inspection. */
export function dataCard({ path, format, note, parts, classes, problems }: Inspection): DataCard {
  const images = parts.flatMap(({ dataset }) => dataset.images);
  const objects = images.flatMap((image) => image.objects);
  const perPicture = images.map((image) => image.objects.length).sort((a, b) => a - b);
  const areas = objects.map(({ area, box: [x1, y1, x2, y2] }) => area ?? (x2 - x1) * (y2 - y1));
  const roots = objects.map(({ box: [x1, y1, x2, y2] }) => Math.sqrt((x2 - x1) * (y2 - y1)));
  const count = (values: readonly number[], from: number, to: number) =>
    values.filter((value) => value >= from && value < to).length;
  return {
    path,
    format,
    note,
    pictures: images.length,
    boxes: objects.length,
    empty: perPicture.filter((boxes) => boxes === 0).length,
    difficult: objects.filter(({ difficult }) => difficult).length,
    truncated: objects.filter(({ truncated }) => truncated).length,
    crowd: objects.filter(({ crowd }) => crowd).length,
    parts: parts.map(({ name, dataset }) => ({
      name,
      pictures: dataset.images.length,
      boxes: dataset.images.reduce((sum, image) => sum + image.objects.length, 0),
    })),
    boxesPerPicture: {
      least: perPicture[0] ?? 0,
      median: median(perPicture),
      mean: objects.length / Math.max(images.length, 1),
      most: perPicture.at(-1) ?? 0,
    },
    pictureSizes: pictureSizes(images),
    areas: {
      small: count(areas, 0, SMALL),
      medium: count(areas, SMALL, LARGE),
      large: count(areas, LARGE, Number.POSITIVE_INFINITY),
    },
    sizes: bounds.map((from, i) => ({ from, to: bounds[i + 1], count: count(roots, from, bounds[i + 1] ?? Infinity) })),
    perClass: classCards(classes, images),
    problemCounts: countKinds(problems),
    problems,
  };
}

type Images = Inspection['parts'][number]['dataset']['images'];

function classCards(classes: readonly string[], images: Images): ClassCard[] {
  const byClass = classes.map(() => ({ objects: [] as GroundTruth[], pictures: new Set<number>() }));
  for (const [i, { objects }] of images.entries()) {
    for (const object of objects) {
      byClass[object.label].objects.push(object);
      byClass[object.label].pictures.add(i);
    }
  }
  return byClass.map(({ objects, pictures }, label) => {
    const sides = (side: 0 | 1) => objects.map(({ box }) => box[side + 2] - box[side]).sort((a, b) => a - b);
    return {
      name: classes[label],
      boxes: objects.length,
      pictures: pictures.size,
      difficult: objects.filter(({ difficult }) => difficult).length,
      crowd: objects.filter(({ crowd }) => crowd).length,
      ...(objects.length > 0 ? { medianSize: [median(sides(0)), median(sides(1))] as const } : {}),
    };
  });
}

function pictureSizes(images: Images): DataCard['pictureSizes'] {
  const counts = new Map<string, number>();
  for (const { width, height } of images) {
    const key = `${width} ${height}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .map(([key, count]) => {
      const [width, height] = key.split(' ').map(Number);
      return { width, height, count };
    })
    .sort((a, b) => b.count - a.count || b.width * b.height - a.width * a.height);
}

function countKinds(problems: readonly InspectedProblem[]): Partial<Record<ProblemKind, number>> {
  const counts: Partial<Record<ProblemKind, number>> = {};
  for (const { kind } of problems) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Of ascending values; 0 of none. */
function median(sorted: readonly number[]): number {
  if (sorted.length === 0) return 0;
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
