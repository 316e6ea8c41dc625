import { BoxwrightError } from '../../errors.js';
import { nearestName } from '../../models/nearest-name.js';
import type { WeightFile } from '../weight-file.js';
import { type LoadReport, someOf } from './load-report.js';

/** None of a file's tensors goes by a name that any source gives to this model's parameters. */
export function nothingFits(
  path: string,
  { tensors }: WeightFile,
  model: string,
  parameters: readonly string[],
): BoxwrightError {
  const examples = [...tensors.keys()]
    .slice(0, 3)
    .map((name) => `"${name}" (nearest: "${nearestName(name, parameters)}")`);
  return new BoxwrightError(
    'weights',
    `None of the ${tensors.size} tensors in ${path} fits ${model}, for example ${examples.join(', ')}. Choose the model that the weights were made for.`,
  );
}

/** Some tensors do not fit. */
export function misfitting(path: string, model: string, { misfits, source }: LoadReport): BoxwrightError {
  const named = misfits.slice(0, 3).map(({ name, found, expected }) => `"${name}" is ${found} instead of ${expected}`);
  const more = misfits.length > 3 ? ` and ${misfits.length - 3} more` : '';
  const problem = `${misfits.length === 1 ? 'A tensor does' : `${misfits.length} tensors do`} not fit ${model}`;
  return new BoxwrightError(
    'weights',
    `${path}: ${problem}, read as ${source}: ${named.join(', ')}${more}. Choose the model that the weights were made for.`,
  );
}

/** The file is for other classes. */
export function otherClasses(
  path: string,
  count: number | undefined,
  known: readonly string[] | undefined,
  classes: readonly string[],
): BoxwrightError {
  const found = known ? `${known.length} classes (${someOf(known, 5)})` : `${count ?? 'other'} classes`;
  const given = `${classes.length} (${someOf(classes, 5)})`;
  return new BoxwrightError(
    'weights',
    `${path}: its heads tell ${found} apart, not the given ${given}. Give its own classes in their order; to train it for others, use boxwright train --weights.`,
  );
}

/**
 * Parameters are missing.
 *
 * @param names what the file should call them
 */
export function missingTensors(
  path: string,
  model: string,
  { missing, left, source, taken }: LoadReport,
  names: readonly string[],
): BoxwrightError {
  const named = names.slice(0, 3).map((name) => {
    const nearest = left.length > 0 ? ` (nearest: "${nearestName(name, left)}")` : '';
    return `"${name}"${nearest}`;
  });
  const total = missing.length + taken.length;
  return new BoxwrightError(
    'weights',
    `${path}: lacks ${missing.length} of the ${total} parameters of ${model}, read as ${source}: ${named.join(', ')}${names.length > 3 ? ', …' : ''}. Choose the model that the weights were made for; to start training from what is there, use boxwright train --weights.`,
  );
}
