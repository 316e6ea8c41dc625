import { type Random, randomStream } from '../../src/data/augment/random.js';
import { CocoEvaluator, type EvaluatedPicture, type EvaluationData } from '../../src/evaluate/index.js';

export interface ProblemShape {
  readonly pictures: number;
  readonly classes: number;
  /** Distinct scores; few of them make ties. Default: none are equal. */
  readonly scores?: number;
  readonly crowds?: boolean;
}

/** A small problem of whole-number boxes, many of them overlapping or equal, that a seed determines. */
export function randomProblem(seed: number, shape: ProblemShape): EvaluatedPicture[] {
  const random = randomStream(seed, 7, 0);
  let score = 0;
  const nextScore = () => {
    score += 1;
    // Steps of an irrational number never meet.
    return shape.scores ? (1 + random.int(shape.scores)) / (shape.scores + 1) : (score * Math.SQRT2) % 1;
  };
  return Array.from({ length: shape.pictures }, (_, id): EvaluatedPicture => {
    const truths = Array.from({ length: random.int(5) }, () => boxIn(random));
    const found = Array.from({ length: random.int(7) }, () => {
      const near = truths.length > 0 && random.int(3) > 0;
      return near ? moved(truths[random.int(truths.length)], random) : boxIn(random);
    });
    return {
      id,
      truth: {
        boxes: truths.flat(),
        labels: truths.map(() => random.int(shape.classes)),
        crowd: truths.map(() => (shape.crowds && random.int(6) === 0 ? 1 : 0)),
      },
      detections: {
        boxes: found.flat(),
        labels: found.map(() => random.int(shape.classes)),
        scores: found.map(nextScore),
      },
    };
  });
}

/** Pictures with boxes as corners, as columns. */
export function dataOf(classes: readonly string[], pictures: readonly EvaluatedPicture[]): EvaluationData {
  const evaluator = new CocoEvaluator({ classes });
  for (const picture of pictures) evaluator.addPicture(picture);
  return evaluator.data();
}

/** Sides of 4 to 60 pixels. */
function boxIn(random: Random): number[] {
  const [x, y] = [random.int(60), random.int(60)];
  return [x, y, x + 4 + random.int(57), y + 4 + random.int(57)];
}

function moved([x1, y1, x2, y2]: readonly number[], random: Random): number[] {
  const by = () => random.int(5) - 2;
  const [left, top] = [x1 + by(), y1 + by()];
  return [left, top, Math.max(left + 1, x2 + by()), Math.max(top + 1, y2 + by())];
}
