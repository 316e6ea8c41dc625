import type { DatasetImage } from '../../data/dataset.js';
import {
  type CalibrationResult,
  type ClassLrp,
  type CocoTables,
  ConfusionMatrix,
  type ConfusionResult,
  calibration,
  type EvaluationData,
  type OperatingPoint,
  optimalLrp,
  picturesOf,
  scoreCurves,
  TideEvaluator,
  type TideResult,
} from '../../evaluate/index.js';
import { type WorstPicture, worstPictures } from './worst-pictures.js';

/** A class at an IoU of 0.5. */
export interface ClassCurve {
  readonly name: string;
  /** COCO's interpolated precision at recalls 0, 0.01 … 1; empty for a class without objects. */
  readonly precision: readonly number[];
  /** Where precision and recall balance best; absent without objects or detections. */
  readonly best?: OperatingPoint;
  /** Absent without objects. */
  readonly lrp?: ClassLrp;
}

/** What an evaluation says beside COCO's figures. */
export interface EvaluationDetails {
  readonly epoch: number;
  readonly step: number;
  readonly curves: readonly ClassCurve[];
  /** All classes together at the thresholds 0.05, 0.1 … 0.95. */
  readonly operatingPoints: readonly OperatingPoint[];
  readonly oLRP: number;
  readonly calibration: CalibrationResult;
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
  const { perClass, pooled } = scoreCurves(data);
  const lrp = optimalLrp(data);
  const curves = classes.map((name, k) => {
    const own = lrp.perClass[k];
    const best = perClass.find((curve) => curve.name === name)?.best;
    return { name, precision: precisionOf(tables, k), best, lrp: own.oLRP < 0 ? undefined : own };
  });
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
    operatingPoints: pooled?.points ?? [],
    oLRP: lrp.oLRP,
    calibration: calibration(data),
    tide: tide.result(),
    confusion: confusion.result(),
    pictures: worstPictures(data, images, thresholdsOf(curves)),
  };
}

/**
 * The score from which on detections of each class are shown: the threshold of optimal LRP, which the best checkpoint
 * keeps for detection; the middle where there is none.
 */
export function thresholdsOf(curves: readonly ClassCurve[]): number[] {
  return curves.map(({ lrp, best }) => lrp?.threshold ?? best?.threshold ?? 0.5);
}

/** Of a class at the first IoU threshold, in all areas, with the most detections. */
function precisionOf({ settings, recallPoints, classCount, precision }: CocoTables, k: number): number[] {
  const { areas, maxDetections } = settings;
  const cells = classCount * areas.length * maxDetections.length;
  const cell = k * areas.length * maxDetections.length + maxDetections.length - 1;
  const values = Array.from(recallPoints, (_, r) => precision[r * cells + cell]);
  return values[0] < 0 ? [] : values.map((value) => Math.round(1e4 * value) / 1e4);
}
