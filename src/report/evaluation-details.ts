import type { DatasetImage } from '../data/dataset.js';
import {
  type CocoTables,
  ConfusionMatrix,
  type ConfusionResult,
  type EvaluationData,
  picturesOf,
  TideEvaluator,
  type TideResult,
} from '../evaluate/index.js';
import { type WorstPicture, worstPictures } from './worst-pictures.js';

/** Precision by recall of a class at an IoU of 0.5, and where the balance of both is best. */
export interface ClassCurve {
  readonly name: string;
  /** COCO's interpolated precision at recalls 0, 0.01 … 1; empty for a class without objects. */
  readonly precision: readonly number[];
  readonly best?: {
    readonly threshold: number;
    readonly precision: number;
    readonly recall: number;
    readonly f1: number;
  };
}

/** What an evaluation says beside COCO's figures. */
export interface EvaluationDetails {
  readonly epoch: number;
  readonly step: number;
  readonly curves: readonly ClassCurve[];
  readonly tide: TideResult;
  readonly confusion: ConfusionResult;
  readonly pictures: readonly WorstPicture[];
}

/**
 * The details of an evaluation.
 *
 * @param tables COCO's, of the same data.
 * @param images of the data set; pictures are looked up by their ids.
 */
export function evaluationDetails(
  data: EvaluationData,
  tables: CocoTables,
  images: readonly DatasetImage[],
  { epoch, step }: { readonly epoch: number; readonly step: number },
): EvaluationDetails {
  const { classes } = data;
  const curves = classes.map((name, k) => curveOf(tables, name, k));
  const tide = new TideEvaluator({ classes });
  const confusion = new ConfusionMatrix({ classes });
  for (const picture of picturesOf(data)) {
    tide.addPicture(picture);
    confusion.addPicture(picture);
  }
  return {
    epoch,
    step,
    curves,
    tide: tide.result(),
    confusion: confusion.result(),
    pictures: worstPictures(data, images, thresholdsOf(curves)),
  };
}

/** The score from which on detections of each class are shown: its best threshold, or the middle where there is none. */
export function thresholdsOf(curves: readonly ClassCurve[]): number[] {
  return curves.map(({ best }) => best?.threshold ?? 0.5);
}

/** The class's curve at the first IoU threshold, all areas, most detections. */
function curveOf(tables: CocoTables, name: string, k: number): ClassCurve {
  const { settings, recallPoints, classCount } = tables;
  const { areas, maxDetections } = settings;
  const cells = classCount * areas.length * maxDetections.length;
  const cell = k * areas.length * maxDetections.length + maxDetections.length - 1;
  const at = (r: number) => r * cells + cell;
  if (tables.precision[at(0)] < 0) return { name, precision: [] };
  const precision = Array.from(recallPoints, (_, r) => rounded(tables.precision[at(r)]));
  let best: ClassCurve['best'];
  for (let r = 1; r < recallPoints.length; r++) {
    const [p, recall] = [tables.precision[at(r)], recallPoints[r]];
    const f1 = p > 0 ? (2 * p * recall) / (p + recall) : 0;
    if (f1 > (best?.f1 ?? 0)) best = { threshold: tables.scores[at(r)], precision: p, recall, f1 };
  }
  return { name, precision, best };
}

function rounded(value: number): number {
  return Math.round(1e4 * value) / 1e4;
}
