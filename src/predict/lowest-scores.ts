import { BoxwrightError } from '../errors.js';
import type { ScoreThresholds } from '../weights/score-thresholds.js';

/** A lowest score for all classes, or each class's own. */
export type MinScore = number | 'suggested';

/** For classes that no score is suggested for, and where none is asked for. */
export const defaultMinScore = 0.3;

/**
 * The lowest score to keep of each class, by label.
 *
 * @throws BoxwrightError `config` for a number outside 0 to 1, and where the model's file suggests nothing.
 */
export function lowestScores(
  minScore: MinScore,
  classes: readonly string[],
  suggested: ScoreThresholds | undefined,
): number[] {
  if (minScore === 'suggested') {
    // Not suggested[name]: a class may be called as what every object has, such as constructor.
    if (suggested) return classes.map((name) => (Object.hasOwn(suggested, name) ? suggested[name] : defaultMinScore));
    const why = 'a run that was evaluated with this version writes them into its best checkpoint';
    throw new BoxwrightError(
      'config',
      `minScore is "suggested", but the model's file suggests no scores: ${why}; give a number.`,
    );
  }
  if (minScore >= 0 && minScore <= 1) return classes.map(() => minScore);
  throw new BoxwrightError('config', `minScore is ${minScore}, expected a number from 0 to 1, or "suggested".`);
}
