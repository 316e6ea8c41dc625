import type { Dataset } from '../../data/dataset.js';

/** What is in one part of a data set. */
export interface PartFigures {
  readonly name: string;
  readonly pictures: number;
  readonly objects: number;
  /** Pictures without objects. */
  readonly empty: number;
  /** Objects that metrics leave out: crowds and difficult ones. */
  readonly leftOut: number;
  /** In the order of the classes. */
  readonly objectsPerClass: readonly number[];
  /** Pictures with the class. */
  readonly picturesPerClass: readonly number[];
  /** Objects by COCO's sizes: up to 32², up to 96² and larger, in square pixels of what its metric sorts by. */
  readonly sizes: { readonly small: number; readonly medium: number; readonly large: number };
  /** Least, middle and largest. */
  readonly width: Spread;
  readonly height: Spread;
  /** √(width × height) of boxes, in pixels. */
  readonly side: Spread;
  readonly objectsPerPicture: Spread;
  /** Boxes that were clipped or dropped. */
  readonly problems: number;
}

/** The ends and the middle of some numbers. */
export type Spread = readonly [least: number, median: number, most: number];

/** What a run's parts hold, for its report. */
export interface RunData {
  readonly classes: readonly string[];
  readonly parts: readonly PartFigures[];
}

/** Counts what a data set holds. */
export function partFigures(name: string, { classes, images, problems }: Dataset): PartFigures {
  const objects = images.flatMap((image) => image.objects);
  const sides = objects.map(({ box: [x1, y1, x2, y2] }) => Math.sqrt((x2 - x1) * (y2 - y1)));
  const areas = objects.map(({ area, box: [x1, y1, x2, y2] }) => area ?? (x2 - x1) * (y2 - y1));
  const objectsPerClass = classes.map(() => 0);
  for (const { label } of objects) objectsPerClass[label]++;
  const picturesPerClass = classes.map(() => 0);
  for (const image of images) for (const label of new Set(image.objects.map((o) => o.label))) picturesPerClass[label]++;
  return {
    name,
    pictures: images.length,
    objects: objects.length,
    empty: images.filter((image) => image.objects.length === 0).length,
    leftOut: objects.filter(({ crowd, difficult }) => crowd || difficult).length,
    objectsPerClass,
    picturesPerClass,
    sizes: {
      small: areas.filter((area) => area <= 32 ** 2).length,
      medium: areas.filter((area) => area > 32 ** 2 && area <= 96 ** 2).length,
      large: areas.filter((area) => area > 96 ** 2).length,
    },
    width: spread(images.map(({ width }) => width)),
    height: spread(images.map(({ height }) => height)),
    side: spread(sides),
    objectsPerPicture: spread(images.map((image) => image.objects.length)),
    problems: problems.filter(({ action }) => action === 'dropped' || action === 'clipped').length,
  };
}

function spread(values: readonly number[]): Spread {
  if (values.length === 0) return [0, 0, 0];
  const sorted = Float64Array.from(values).sort();
  return [sorted[0], sorted[sorted.length >> 1], sorted[sorted.length - 1]];
}
