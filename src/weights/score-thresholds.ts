import { BoxwrightError } from '../errors.js';

/** Lowest score to keep of each class, by its name, as suggested by the evaluation of a detector; 0 to 1. */
export type ScoreThresholds = Readonly<Record<string, number>>;

/** Key of a model file's metadata. */
export const scoreThresholdsKey = 'score_thresholds';

/**
 * The thresholds in a model file's metadata, if it has some.
 *
 * @throws BoxwrightError `weights` unless they are JSON: an object with a number from 0 to 1 for known classes.
 */
export function scoreThresholdsOf(
  path: string,
  metadata: Readonly<Record<string, string>>,
  classes: readonly string[],
): ScoreThresholds | undefined {
  const text = metadata[scoreThresholdsKey];
  if (text === undefined) return undefined;
  const found = parsed(text);
  const fits =
    typeof found === 'object' &&
    found !== null &&
    !Array.isArray(found) &&
    Object.entries(found).every(
      ([name, score]) => classes.includes(name) && typeof score === 'number' && score >= 0 && score <= 1,
    );
  if (fits) return found as ScoreThresholds;
  const expected = 'a JSON object with a number from 0 to 1 for each of some classes';
  throw new BoxwrightError(
    'weights',
    `${path}: its metadata "${scoreThresholdsKey}" is ${text.slice(0, 80)}, expected ${expected}.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // said by the caller
  }
}
