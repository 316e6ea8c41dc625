import { extname } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { openModel } from '../predict/model-source.js';
import { type Checkpoint, weightsToUse, writeCheckpoint } from '../weights/checkpoint.js';
import { writeMindspore } from '../weights/formats/mindspore-writer.js';
import { inSourceNames } from '../weights/loading/in-source-names.js';
import { classList } from './class-list.js';
import type { Context } from './command.js';
import { requireTarget } from './free-target.js';
import { pullProgress } from './pull-progress.js';

export interface ConvertArguments {
  readonly from: string;
  readonly to: string;
  readonly model?: string;
  readonly classes?: string;
  readonly force: boolean;
  readonly json: boolean;
}

type Writer = (path: string, checkpoint: Checkpoint) => Promise<void>;

/** Formats that weights are written in, by the ending of the file. */
const writers: Readonly<Record<string, Writer>> = {
  '.safetensors': (path, { model, classes, parameters, scoreThresholds }) =>
    writeCheckpoint(path, { model, classes, parameters, state: new Map(), scoreThresholds }),
  '.ckpt': (path, { model, parameters }) => writeMindspore(path, inSourceNames(model, 'mindspore', parameters)),
};

/** Reads weights as a detector, averages first, and writes them in the format that the file's ending asks for. */
export async function convertWeights(args: ConvertArguments, { terminal, signal }: Context): Promise<number> {
  const { from, to, model, force, json } = args;
  const write = writers[extname(to).toLowerCase()];
  if (!write) {
    const known = Object.keys(writers).join(' and ');
    throw new BoxwrightError(
      'config',
      `${to}: weights are written as ${known}, not as ${extname(to) || 'a file without ending'}; for a data set give --to, its format.`,
    );
  }
  requireTarget(to, force);
  const choice = { model, classes: await classList(args.classes) };
  const opened = await openModel(from, { ...choice, signal, onProgress: pullProgress(terminal) });
  if (opened.kind === 'onnx') {
    const advice = 'give the checkpoint that it was exported from';
    throw new BoxwrightError('config', `${opened.path}: an exported file has its batch norm folded away; ${advice}.`);
  }
  const { checkpoint, note } = opened;
  if (note !== undefined) terminal.note(note);
  const parameters = weightsToUse(checkpoint);
  await write(to, { ...checkpoint, parameters });
  const { model: name, classes } = checkpoint;
  const written = { kind: 'weights', path: to, model: name, classes, tensors: parameters.size, note };
  if (json) await terminal.printJson(written);
  else await terminal.print(`${to}: ${name}, ${classes.length} classes, ${parameters.size} parameters`);
  return 0;
}
