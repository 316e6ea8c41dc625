import { Engine } from '../engine/engine.js';
import type { Tensors } from '../engine/protocol.js';
import { BoxwrightError } from '../errors.js';
import type { TrainOptions } from './config.js';
import { returnedArrays } from './feeds.js';
import { prepare } from './prepare.js';
import { loaderOf, sessionOf, trainingFeeds } from './working-parts.js';

/** One step of a learning-rate range test. */
export interface RatePoint {
  readonly step: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly loss: number;
  /** The loss smoothed over some ten steps. */
  readonly smoothed: number;
}

/** What a learning-rate range test found. */
export interface RateTest {
  readonly points: readonly RatePoint[];
  /** A tenth of the rate at which the smoothed loss was least. */
  readonly suggested: number;
}

/** The rates that a test goes through, evenly on a logarithmic scale. */
const [lowest, highest] = [1e-6, 1];
/** How much of the smoothed loss a new one leaves. */
const memory = 0.9;
/** A smoothed loss so many times the least one has diverged: nothing is learnt from higher rates. */
const diverged = 4;

/**
 * Learning-rate range test (Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3): trains for
 * some steps while the rate rises, and looks where the loss stops falling. Nothing is written; the weights are thrown
 * away.
 *
 * @param steps of the test; more give a smoother curve.
 * @throws BoxwrightError as `train`; `aborted` when the signal stops it; `diverged` if the loss is not finite at once.
 */
export async function* findLearningRate(
  options: TrainOptions,
  steps = 100,
): AsyncGenerator<RatePoint, RateTest, undefined> {
  const setup = await prepare({ ...options, accumulate: 1 });
  await using loader = loaderOf(setup, () => {});
  await using engine = await Engine.start({ provider: setup.config.provider, threads: setup.config.threads });
  const session = await sessionOf(setup, engine);
  const points: RatePoint[] = [];
  let [average, least] = [0, Number.POSITIVE_INFINITY];
  for (let epoch = 0; points.length < steps; epoch++) {
    for await (const batch of loader.epoch(epoch)) {
      if (options.signal?.aborted) throw new BoxwrightError('aborted', 'The test of learning rates was stopped.');
      const step = points.length;
      const rate = lowest * (highest / lowest) ** (step / (steps - 1));
      const back = (feeds: Tensors) => batch.release(returnedArrays(batch, feeds));
      const { loss } = await session.step(batch.canvas, trainingFeeds(setup, batch, step), rate, 0, back);
      average = memory * average + (1 - memory) * loss;
      const smoothed = average / (1 - memory ** (step + 1));
      if (!Number.isFinite(loss) || smoothed > diverged * least) return found(points);
      least = Math.min(least, smoothed);
      const point = { step: step + 1, steps, learningRate: rate, loss, smoothed };
      points.push(point);
      yield point;
      if (points.length === steps) break;
    }
  }
  return found(points);
}

function found(points: readonly RatePoint[]): RateTest {
  if (points.length === 0)
    throw new BoxwrightError('diverged', 'The first loss is not finite already: look at the weights and the data.');
  const best = points.reduce((least, point) => (point.smoothed < least.smoothed ? point : least));
  return { points, suggested: best.learningRate / 10 };
}
