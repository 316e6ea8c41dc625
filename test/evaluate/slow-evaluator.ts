import type { EvaluatedPicture } from '../../src/evaluate/index.js';

/** Boxes are [x1, y1, x2, y2]. */
type Box = readonly number[];

interface Judged {
  score: number;
  right: boolean;
}

interface SlowRange {
  readonly from: number;
  readonly to: number;
  readonly measure?: 'aspect';
}

export interface SlowRule {
  readonly label: number;
  readonly threshold: number;
  /** By area, or by width divided by height. */
  readonly range?: SlowRange;
  readonly maxDetections?: number;
  /** Whether a detection without an object does not count in this picture. */
  readonly lenient?: (picture: EvaluatedPicture) => boolean;
}

/**
 * Average precision and recall of one class as COCO's rules say, with objects and loops and no thought of speed: the
 * pictures must come by rising id. `undefined` where there is nothing to find.
 */
export function slowPrecision(
  pictures: readonly EvaluatedPicture[],
  rule: SlowRule,
): { AP: number; recall: number } | undefined {
  const { label, threshold, range = { from: 0, to: Infinity }, maxDetections = 100 } = rule;
  const inRange = (box: Box) => sizeOf(box, range) >= range.from && sizeOf(box, range) <= range.to;
  const judged: Judged[] = [];
  let positives = 0;
  for (const picture of pictures) {
    const truths = boxesOf(picture.truth, label).map(({ box, index }) => {
      const crowd = Boolean(picture.truth.crowd?.[index]);
      return { box, crowd, counts: !crowd && inRange(box), free: true };
    });
    positives += truths.filter(({ counts }) => counts).length;
    const { detections } = picture;
    if (!detections) continue;
    const found = boxesOf(detections, label)
      .map(({ box, index }) => ({ box, score: detections.scores[index] }))
      .sort((a, b) => b.score - a.score)
      .slice(0, maxDetections);
    for (const { box, score } of found) {
      const candidates = truths
        .filter(({ free, crowd }) => free || crowd)
        .map((truth) => ({ truth, overlap: overlapOf(box, truth.box, truth.crowd) }))
        .filter(({ overlap }) => overlap >= Math.min(threshold, 1 - 1e-10))
        // Those that count first, then by overlap; of equal ones the last, so the list is turned round before.
        .reverse()
        .sort((a, b) => Number(b.truth.counts) - Number(a.truth.counts) || b.overlap - a.overlap);
      const [best] = candidates;
      if (best) best.truth.free = false;
      if (best ? best.truth.counts : inRange(box) && !rule.lenient?.(picture)) judged.push({ score, right: !!best });
    }
  }
  if (positives === 0) return undefined;
  judged.sort((a, b) => b.score - a.score);
  const curve = judged.map((_, i) => {
    const right = judged.slice(0, i + 1).filter((each) => each.right).length;
    return { precision: right / (i + 1), recall: right / positives };
  });
  let sum = 0;
  for (let k = 0; k <= 100; k++) {
    // The points are those of numpy.linspace, some of them above k / 100.
    const reached = curve.filter(({ recall }) => recall >= (k === 100 ? 1 : k * 0.01));
    sum += Math.max(0, ...reached.map(({ precision }) => precision));
  }
  return { AP: sum / 101, recall: curve.at(-1)?.recall ?? 0 };
}

function boxesOf({ boxes, labels }: EvaluatedPicture['truth'], label: number): { box: Box; index: number }[] {
  return Array.from(labels, (own, index) => ({ own, index }))
    .filter(({ own }) => own === label)
    .map(({ index }) => ({ box: [0, 1, 2, 3].map((side) => boxes[4 * index + side]), index }));
}

function sizeOf([x1, y1, x2, y2]: Box, { measure }: SlowRange): number {
  if (measure !== 'aspect') return (x2 - x1) * (y2 - y1);
  return (x2 - x1) / (y2 - y1);
}

function overlapOf(a: Box, b: Box, crowd: boolean): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = ([x1, y1, x2, y2]: Box) => (x2 - x1) * (y2 - y1);
  const shared = width * height;
  return shared / (crowd ? area(a) : area(a) + area(b) - shared);
}
