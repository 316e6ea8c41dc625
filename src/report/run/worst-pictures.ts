import type { DatasetImage } from '../../data/dataset.js';
import type { EvaluationData } from '../../evaluate/index.js';
import { isFalse, type JudgedPicture, type Judgement, judge, judgedPicture, places } from './picture-outcomes.js';

/** What a picture can be among the worst for. */
const faults = ['missed', 'false', 'misplaced'] as const;
export type Fault = (typeof faults)[number];

/** A picture that is among the worst, and for what. */
export interface WorstPicture extends JudgedPicture {
  readonly faults: readonly Fault[];
}

/** Detections of a picture that are kept, the surest. */
const mostDetections = 60;

/**
 * The pictures with the largest errors of each kind, in turn, each picture once.
 *
 * No score threshold decides which these are: an object counts as missed by 1 − the score of the detection that finds
 * it, and a wrong detection by the square of its score, so that many unsure ones do not outweigh a sure one.
 *
 * @param thresholds scores from which on detections of a class are shown: a picture without the fault among them is left
 *   out for it.
 * @param most pictures of each kind.
 */
export function worstPictures(
  data: EvaluationData,
  images: readonly DatasetImage[],
  thresholds: readonly number[],
  most = 6,
): WorstPicture[] {
  const judgement = judge(data);
  const worst = faults.map((fault) => worstOf(data, judgement, thresholds, fault, most));
  const imageOf = new Map(images.map((image) => [image.id, image]));
  const chosen = new Map<number, Fault[]>();
  for (let place = 0; place < most; place++) {
    for (const [i, fault] of faults.entries()) {
      const picture = worst[i][place];
      if (picture === undefined) continue;
      chosen.set(picture, [...(chosen.get(picture) ?? []), fault]);
    }
  }
  return [...chosen].flatMap(([p, own]) => {
    const image = imageOf.get(data.pictures[p]);
    if (!image) return [];
    const picture = judgedPicture(data, judgement, p, image);
    return [{ ...picture, detections: picture.detections.slice(0, mostDetections), faults: own }];
  });
}

/** Pictures with the largest cost of a fault, the first of equal ones first. */
function worstOf(
  data: EvaluationData,
  judgement: Judgement,
  thresholds: readonly number[],
  fault: Fault,
  most: number,
): number[] {
  return data.pictures
    .map((_, p) => ({ p, ...costOf(data, judgement, thresholds, fault, p) }))
    .filter(({ isSeen }) => isSeen)
    .sort((a, b) => b.cost - a.cost || a.p - b.p)
    .slice(0, most)
    .map(({ p }) => p);
}

function costOf(
  { detections, truths }: EvaluationData,
  { outcomes, found }: Judgement,
  thresholds: readonly number[],
  fault: Fault,
  p: number,
): { cost: number; isSeen: boolean } {
  let cost = 0;
  let isSeen = false;
  if (fault === 'missed') {
    for (const g of places(truths.starts, p)) {
      if (truths.crowd[g]) continue;
      const score = Number.isNaN(found[g]) ? 0 : found[g];
      cost += 1 - score;
      isSeen ||= Number.isNaN(found[g]) || score < thresholds[truths.labels[g]];
    }
    return { cost, isSeen };
  }
  for (const d of places(detections.starts, p)) {
    const outcome = outcomes[d];
    if (!outcome || !(fault === 'misplaced' ? outcome === 'misplaced' : isFalse(outcome))) continue;
    cost += detections.scores[d] ** 2;
    isSeen ||= detections.scores[d] >= thresholds[detections.labels[d]];
  }
  return { cost, isSeen };
}
