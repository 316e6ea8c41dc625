import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { readOnnx } from '../graph/onnx/read.js';
import type { PullOptions } from '../hub/pull.js';
import { cardHint, type WeightsFile, type WeightsSource, weightsFile } from '../hub/weights-file.js';
import { similarName } from '../models/nearest-name.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { type DetectorChoice, readDetector } from '../weights/detector-file.js';
import { type ExportedDetector, exportedDetector } from './exported-detector.js';

/** A detector's file, read. */
export type ModelSource =
  | {
      readonly kind: 'checkpoint';
      readonly path: string;
      readonly checkpoint: Checkpoint;
      /** What a person should know: what of another project's weights was taken for what, or that a run has no best ones. */
      readonly note?: string;
    }
  | ({ readonly kind: 'onnx'; readonly path: string } & ExportedDetector);

/** What a run folder is detected with, the best first. */
const runFiles = ['best.safetensors', 'last.safetensors'] as const;
const modelEndings: readonly string[] = [
  ...['.safetensors', '.onnx', '.ckpt', '.pth', '.pt', '.th', '.pkl', '.caffemodel'],
];

/** How to open what does not say itself what it is, and what to do about a download. */
export type OpenOptions = DetectorChoice & Pick<PullOptions, 'onProgress' | 'signal'>;

/**
 * Finds and reads a detector: a run folder (its best checkpoint, else its last), a checkpoint, an exported ONNX file,
 * published weights by their card, or weights of another project.
 *
 * @throws BoxwrightError `io` if there is no such file (with the nearest name) or it cannot be read; `weights` if it is
 *   damaged or holds no detector; as `pull` for a card, as `readDetector` for weights of another project.
 */
export async function openModel(source: WeightsSource, options: OpenOptions = {}): Promise<ModelSource> {
  const { path: given, card } = await weightsFile(source, options);
  if (card) return openCard(given, card, options);
  const path = await modelFile(given);
  if (extname(path).toLowerCase() === '.onnx') return openOnnx(path, options);
  const read = await readDetector(path, options);
  const isLast = path !== given && basename(path) === runFiles[1];
  const note = isLast ? `${given} was not evaluated yet: its last checkpoint is taken.` : read.note;
  return { kind: 'checkpoint', path, ...read, note };
}

async function openCard(
  path: string,
  card: NonNullable<WeightsFile['card']>,
  options: OpenOptions,
): Promise<ModelSource> {
  const { name } = card;
  const { model = card.model, classes = card.classes } = options;
  if (model === undefined || classes === undefined) {
    const advice = `Its file is ${path}; boxwright info says which model that fits, if one does`;
    throw new BoxwrightError(
      'model',
      `The card "${name}" names no model that boxwright has, or no classes. ${advice}.`,
    );
  }
  return { kind: 'checkpoint', path, ...(await readDetector(path, { model, classes })) };
}

async function modelFile(path: string): Promise<string> {
  const found = await stat(path).catch((cause) => cause as NodeJS.ErrnoException);
  if (found instanceof Error) throw await missingModel(path, found);
  if (!found.isDirectory()) return path;
  const names = await readdir(path);
  const name = runFiles.find((file) => names.includes(file));
  if (name !== undefined) return join(path, name);
  const others = names.filter(isModelName);
  const hint = others.length > 0 ? ` It holds ${others.join(', ')}: name that file.` : '';
  throw new BoxwrightError('io', `${path}: the folder has neither ${runFiles.join(' nor ')}.${hint}`);
}

const isModelName = (name: string) => modelEndings.includes(extname(name).toLowerCase());

async function missingModel(path: string, cause: NodeJS.ErrnoException): Promise<BoxwrightError> {
  if (cause.code !== 'ENOENT') return new BoxwrightError('io', `${path}: cannot be read (${cause.message})`, { cause });
  const folder = dirname(path);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return new BoxwrightError('io', `${path}: there is no folder ${folder}.`, { cause });
  const names = entries.filter((entry) => entry.isDirectory() || isModelName(entry.name)).map(({ name }) => name);
  const similar = similarName(basename(path), names);
  const hint = similar === undefined ? cardHint(path) : ` Did you mean ${join(folder, similar)}?`;
  return new BoxwrightError('io', `${path}: there is no such file or folder.${hint}`, { cause });
}

async function openOnnx(path: string, { model: given }: OpenOptions): Promise<ModelSource> {
  if (given !== undefined) {
    const advice = 'leave out the name of the model';
    throw new BoxwrightError('config', `${path}: an exported file is a whole model and says itself which; ${advice}.`);
  }
  const bytes = await readFile(path).catch((cause) => {
    throw new BoxwrightError('io', `${path}: cannot be read (${cause.message})`, { cause });
  });
  const { metadata } = readOnnx(bytes, path, (location) => externalFile(path, location));
  return { kind: 'onnx', path, ...exportedDetector(path, metadata) };
}

function externalFile(path: string, location: string): Uint8Array {
  const file = join(dirname(path), basename(location)); // never outside the model's folder
  try {
    return readFileSync(file);
  } catch (cause) {
    const advice = 'keep the two files together';
    throw new BoxwrightError('io', `${path}: its weights are in ${file}, which cannot be read; ${advice}.`, { cause });
  }
}
