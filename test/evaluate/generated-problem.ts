// The generator of ../shared/golden/metrics/README.md: detection problems of any size, the same in any language.
// Boxes are [x, y, width, height] in whole eighths of a pixel, so that areas and intersections are exact.
import type { EvaluationData } from '../../src/evaluate/evaluation-data.js';
import { fnv1a32, hashOf } from '../hashfill.js';

export interface ProblemOptions {
  readonly images: number;
  readonly categories: number;
  /** Categories that never have truth. */
  readonly absent?: number;
  /** Mean number of boxes of a picture that has any. */
  readonly boxes?: number;
  readonly empty?: number;
  readonly crowd?: number;
  /** Percent of small and medium boxes. */
  readonly small?: number;
  readonly medium?: number;
  /** Mean number of detections. */
  readonly dets?: number;
  readonly levels?: number;
  readonly found?: number;
  readonly confuse?: number;
  readonly duplicate?: number;
  /** Number of different scores less one; 0: all differ. */
  readonly ties?: number;
}

/** A problem as columns, picture after picture in the order of ids; annotation ids count from 1. */
export interface GeneratedProblem {
  readonly data: EvaluationData;
  /** By label. */
  readonly categoryIds: readonly number[];
}

type Box = readonly [x: number, y: number, width: number, height: number];

/** u32(name, 0), u32(name, 1), … one after the other. */
class Stream {
  readonly #start: number;
  #at = 0;

  constructor(name: string) {
    this.#start = fnv1a32(name);
  }

  below(n: number): number {
    return Math.floor((this.#u32() * n) / 2 ** 32);
  }

  chance(p: number): boolean {
    return this.#u32() < p * 2 ** 32;
  }

  #u32(): number {
    return hashOf(this.#start, this.#at++);
  }
}

const defaults = {
  absent: 0,
  boxes: 7,
  empty: 0.1,
  crowd: 0.05,
  small: 40,
  medium: 35,
  dets: 100,
  levels: 8,
  found: 0.9,
  confuse: 0.1,
  duplicate: 0.2,
  ties: 0,
};

type Parameters = Required<ProblemOptions>;

interface Truth {
  readonly label: number;
  readonly crowd: boolean;
  readonly box: Box;
  readonly area: number;
}

interface Found {
  readonly label: number;
  readonly box: Box;
  readonly quality: number;
}

export function generatedProblem(seed: string, options: ProblemOptions): GeneratedProblem {
  const parameters: Parameters = { ...defaults, ...options };
  const categoryIds = categories(seed, parameters.categories);
  const images = imagesOf(seed, parameters.images);
  const truth: Truth[][] = [];
  const found: Found[][] = [];
  images.forEach((image, i) => {
    truth.push(objectsOf(new Stream(`${seed}:gt:${i}`), image, parameters));
    found.push(detectionsOf(new Stream(`${seed}:dt:${i}`), image, truth[i], parameters));
  });
  const objects = truth.flat();
  const detections = found.flat();
  return {
    categoryIds,
    data: {
      classes: categoryIds.map((id) => `c${id}`),
      boxFormat: 'xywh',
      pictures: images.map(({ id }) => id),
      truths: {
        starts: startsOf(truth),
        labels: Uint32Array.from(objects, ({ label }) => label),
        boxes: pixels(objects),
        areas: Float64Array.from(objects, ({ area }) => area),
        crowd: Uint8Array.from(objects, ({ crowd }) => (crowd ? 1 : 0)),
        ids: Float64Array.from(objects, (_, i) => i + 1),
      },
      detections: {
        starts: startsOf(found),
        labels: Uint32Array.from(detections, ({ label }) => label),
        boxes: pixels(detections),
        scores: scoresOf(detections, parameters.ties),
      },
    },
  };
}

function categories(seed: string, count: number): number[] {
  const stream = new Stream(`${seed}:cat`);
  let next = 1;
  return Array.from({ length: count }, () => {
    if (stream.below(4) === 0) next += 1 + stream.below(3);
    return next++;
  });
}

function imagesOf(seed: string, count: number): { id: number; width: number; height: number }[] {
  const stream = new Stream(`${seed}:img`);
  let next = 1;
  return Array.from({ length: count }, () => {
    next += stream.below(3);
    return { id: next++, width: 320 + stream.below(321), height: 320 + stream.below(321) };
  });
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function objectsOf(stream: Stream, image: Size, { empty, boxes, crowd, ...rest }: Parameters): Truth[] {
  const count = stream.chance(empty) ? 0 : 1 + stream.below(2 * boxes - 1);
  const present = rest.categories - rest.absent;
  return Array.from({ length: count }, () => {
    const [a, b] = [stream.below(present), stream.below(present)];
    const isCrowd = stream.chance(crowd);
    const box = randomBox(stream, image, rest);
    const part = 40 + stream.below(25);
    return { label: Math.min(a, b), crowd: isCrowd, box, area: (box[2] * box[3] * part) / 4096 };
  });
}

function detectionsOf(stream: Stream, image: Size, objects: readonly Truth[], parameters: Parameters): Found[] {
  const { dets, levels, found, confuse, duplicate } = parameters;
  const target = stream.below(2 * dets + 1);
  const own: Found[] = [];
  for (const { label: truth, crowd, box } of objects) {
    if (!stream.chance(found)) continue;
    if (crowd) {
      for (let part = 0; part < 3; part++) own.push(insideCrowd(stream, truth, box));
      continue;
    }
    const level = stream.below(levels);
    const label = stream.chance(confuse) ? stream.below(parameters.categories) : truth;
    const quality = 4000 + stream.below(6000) - 500 * level;
    own.push({ label, box: jitter(stream, box, level), quality: Math.max(0, quality) });
    if (!stream.chance(duplicate)) continue;
    const again = jitter(stream, box, stream.below(levels));
    own.push({ label, box: again, quality: Math.max(0, quality - stream.below(1500)) });
  }
  while (own.length < target) {
    const label = stream.below(parameters.categories);
    const box = randomBox(stream, image, parameters);
    own.push({ label, box, quality: Math.min(stream.below(8000), stream.below(8000)) });
  }
  return own;
}

function insideCrowd(stream: Stream, label: number, [x, y, w, h]: Box): Found {
  const [width, height] = [Math.max(8, Math.floor(w / 3)), Math.max(8, Math.floor(h / 3))];
  const left = x + stream.below(Math.max(1, w - width + 1));
  const top = y + stream.below(Math.max(1, h - height + 1));
  return { label, box: [left, top, width, height], quality: stream.below(8000) };
}

function randomBox(stream: Stream, image: Size, { small, medium }: { small: number; medium: number }): Box {
  const percent = stream.below(100);
  const kind = percent < small ? 0 : percent < small + medium ? 1 : 2;
  const width = side(stream, kind, 8 * image.width);
  const height = side(stream, kind, 8 * image.height);
  const x = stream.below(8 * image.width - width + 1);
  return [x, stream.below(8 * image.height - height + 1), width, height];
}

/** Small, medium and large sides: the least and how many more. */
const sides = [
  [32, 225],
  [256, 513],
  [768, 2049],
];

function side(stream: Stream, kind: number, limit: number): number {
  return Math.min(sides[kind][0] + stream.below(sides[kind][1]), limit);
}

function jitter(stream: Stream, [x, y, w, h]: Box, level: number): Box {
  const rx = Math.floor((w * level) / 32);
  const ry = Math.floor((h * level) / 32);
  const dx = stream.below(2 * rx + 1) - rx;
  const dy = stream.below(2 * ry + 1) - ry;
  const dw = stream.below(2 * rx + 1) - rx;
  const dh = stream.below(2 * ry + 1) - ry;
  return [x + dx, y + dy, Math.max(8, w + dw), Math.max(8, h + dh)];
}

function scoresOf(detections: readonly Found[], ties: number): Float64Array {
  if (ties > 0)
    return Float64Array.from(detections, ({ quality }) => (1 + Math.floor((quality * ties) / 10000)) / (ties + 1));
  const order = Uint32Array.from(detections.keys()).sort(
    (i, j) => detections[i].quality - detections[j].quality || i - j,
  );
  const scores = new Float64Array(detections.length);
  order.forEach((i, rank) => {
    scores[i] = (rank + 1) / (detections.length + 1);
  });
  return scores;
}

function startsOf(pictures: readonly (readonly unknown[])[]): Uint32Array {
  const starts = new Uint32Array(pictures.length + 1);
  for (const [p, own] of pictures.entries()) starts[p + 1] = starts[p] + own.length;
  return starts;
}

function pixels(entries: readonly { readonly box: Box }[]): Float64Array {
  const boxes = new Float64Array(4 * entries.length);
  for (const [i, { box }] of entries.entries()) boxes.set(box, 4 * i);
  return boxes.map((eighths) => eighths / 8);
}
