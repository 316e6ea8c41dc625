import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { type OnnxModel, opset } from '../graph/onnx/write.js';
import type { PullProgress } from '../hub/progress.js';
import type { WeightsSource } from '../hub/weights-file.js';
import { writeLowered } from '../lowering/write.js';
import type { ResizeRule } from '../models/canvas.js';
import { type DetectorRecipe, inferenceGraph, modelRecipe, resizeRule } from '../models/model.js';
import { openModel } from '../predict/model-source.js';
import { version } from '../version.js';
import { writeFileAtomically } from '../weights/atomic-file.js';
import { type Checkpoint, weightsToUse } from '../weights/checkpoint.js';
import { requireWeights } from '../weights/loading/required-weights.js';
import { scoreThresholdsKey } from '../weights/score-thresholds.js';
import { foldBatchNorm } from './fold-batch-norm.js';

export interface ExportOptions {
  /** Replace a file that exists; false by default. */
  readonly force?: boolean;
  /** Fold batch norm into the convolutions; true by default. */
  readonly fold?: boolean;
  /** A detection's score has to exceed this; the recipe's by default (0.01 for the published models). */
  readonly scoreThreshold?: number;
  /** Boxes of a class that overlap more than this (IoU) are one; the recipe's by default. */
  readonly nmsThreshold?: number;
  /** Weights in a file of their own beside the model, as is done anyhow where they are about to exceed 2 GB. */
  readonly externalData?: boolean;
  /** Model and classes of weights of another project, which may not say them; see `Detector.load`. */
  readonly model?: string;
  readonly classes?: readonly string[];
  /** Told of the download where a card is given whose file is not there. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** Ends a download. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface ExportReport {
  readonly path: string;
  /** The file with the weights, if they are apart. */
  readonly external?: string;
  readonly bytes: number;
  readonly model: string;
  readonly classes: readonly string[];
  readonly opset: number;
  /** Batch norms folded into the convolution before them. */
  readonly folded: number;
  /** What a person should know of the weights: what was taken for what in those of another project, or that a run has no best ones. */
  readonly note?: string;
}

const outputDocs = {
  boxes: 'x1, y1, x2, y2 of each detection in pixels of its picture; by falling score',
  scores: 'score of each detection, 0 to 1',
  labels: 'class of each detection: index into the list "classes" of the metadata',
  pictures: 'index in the batch of the picture that each detection is in',
};

/**
 * Writes a trained detector as one ONNX file of plain ONNX operators, which runs wherever ONNX Runtime does: uint8 RGB
 * pixels [batch, height, width, 3] of any size in; boxes, scores, labels and picture indices of all detections out,
 * resize and non-maximum suppression included. The metadata carry the model, its classes and thresholds.
 *
 * @param source run folder, checkpoint or card, as `Detector.load` takes them.
 * @param path the `.onnx` file; it appears once it is whole.
 * @throws BoxwrightError `io` if the file exists and `force` is not set, or cannot be written; `config` for thresholds out
 *   of range, another ending, or a source that is exported already; `weights` for weights that do not fit the model.
 */
export async function exportOnnx(
  source: WeightsSource,
  path: string,
  options: ExportOptions = {},
): Promise<ExportReport> {
  const externalName = `${basename(path)}.data`;
  const externalPath = join(dirname(path), externalName);
  requireTarget(path, externalPath, options);
  const opened = await openModel(source, options);
  if (opened.kind === 'onnx')
    throw new BoxwrightError('config', `${opened.path}: is exported already; give a checkpoint.`);
  const { checkpoint, note } = opened;
  const recipe = withThresholds(modelRecipe(checkpoint.model, checkpoint.classes.length), options);
  const { onnx, folded } = write(opened.path, checkpoint, recipe, externalName, options);
  // Weights first: a model file without them would be half an export.
  if (onnx.external) await writeFileAtomically(externalPath, onnx.external.parts);
  await writeFileAtomically(path, onnx.bytes);
  const { model, classes } = checkpoint;
  const weightBytes = onnx.external?.parts.reduce((sum, part) => sum + part.byteLength, 0) ?? 0;
  const external = onnx.external && externalPath;
  return {
    path,
    external,
    bytes: onnx.bytes.byteLength + weightBytes,
    model,
    classes,
    opset,
    folded,
    ...(note === undefined ? {} : { note }),
  };
}

function write(
  path: string,
  checkpoint: Checkpoint,
  recipe: DetectorRecipe,
  externalName: string,
  { fold = true, externalData = false }: ExportOptions,
): { onnx: OnnxModel; folded: number } {
  const { p, outputs } = inferenceGraph(recipe);
  const weights = requireWeights(path, checkpoint.model, p.specs, weightsToUse(checkpoint));
  const graph = { outputs: Object.values(outputs), weights };
  const { outputs: ready, weights: values, folded } = fold ? foldBatchNorm(graph) : { ...graph, folded: 0 };
  const description = {
    name: checkpoint.model,
    doc: `Object detector ${checkpoint.model}, ${checkpoint.classes.length} classes, by boxwright ${version}.`,
    outputs: Object.fromEntries(Object.keys(outputs).map((name, i) => [name, ready[i]])),
    outputDocs,
    initializers: values,
    metadata: metadataOf(checkpoint, recipe),
    externalName,
    ...(externalData ? { externalFrom: 0 } : {}),
  };
  return { onnx: writeLowered(description, { provider: 'cpu', form: 'reference' }), folded };
}

function metadataOf({ model, classes, scoreThresholds }: Checkpoint, recipe: DetectorRecipe): Record<string, string> {
  const { postprocess } = recipe;
  return {
    format: 'boxwright',
    boxwright_version: version,
    model,
    classes: JSON.stringify(classes),
    network_size: networkSize(resizeRule(recipe)),
    score_threshold: `${postprocess.score}`,
    nms_threshold: `${postprocess.nms}`,
    ...(scoreThresholds && { [scoreThresholdsKey]: JSON.stringify(scoreThresholds) }),
  };
}

/** `320` for a square, `1333x800` for the most that a picture's longer and shorter side become. */
function networkSize(rule: ResizeRule): string {
  return rule.kind === 'stretch' ? `${rule.size}` : `${rule.long}x${rule.short}`;
}

function withThresholds(recipe: DetectorRecipe, { scoreThreshold, nmsThreshold }: ExportOptions): DetectorRecipe {
  const { score, nms } = recipe.postprocess;
  const chosen = { score: scoreThreshold ?? score, nms: nmsThreshold ?? nms };
  for (const [name, value] of Object.entries(chosen)) {
    if (value >= 0 && value < 1) continue;
    throw new BoxwrightError('config', `The ${name} threshold is ${value}, expected a number from 0 to below 1.`);
  }
  return recipe.kind === 'refinedet'
    ? { ...recipe, postprocess: { ...recipe.postprocess, ...chosen } }
    : { ...recipe, postprocess: { ...recipe.postprocess, ...chosen } };
}

/** Said before any work is done. */
function requireTarget(path: string, externalPath: string, { force = false }: ExportOptions): void {
  if (extname(path).toLowerCase() !== '.onnx') {
    throw new BoxwrightError('config', `${path}: the file to export to must end in .onnx.`);
  }
  const existing = [path, externalPath].find((file) => existsSync(file));
  if (existing && !force)
    throw new BoxwrightError('io', `${existing}: exists already; choose another name, or use --force.`);
}
