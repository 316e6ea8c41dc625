import type { Picture } from '../data/picture.js';
import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { ScoreThresholds } from '../weights/score-thresholds.js';
import { detectionsOf } from './detections-of.js';
import type { PictureDetections } from './formats/picture-detections.js';
import { lowestScores, type MinScore } from './lowest-scores.js';
import type { DetectionTensors } from './merge-detections.js';
import {
  groups,
  type Inputs,
  type PictureReader,
  type Reading,
  type ReadPicture,
  readings,
  stacked,
} from './picture-groups.js';
import { readAhead, throwIfAborted, unlessAborted } from './read-ahead.js';

/** Runs a detection graph on pictures, uint8 [batch, height, width, 3]. */
export type PictureModel = (images: Tensor) => Promise<DetectionTensors>;

/** What one call of `detect` may ask for. */
export interface DetectOptions {
  readonly signal?: AbortSignal;
  /** In place of the detector's. 0 gives all that the model lets pass, as evaluation wants. */
  readonly minScore?: MinScore;
}

/** What one call of `stream` may ask for. */
export interface StreamOptions extends DetectOptions {
  /**
   * Pictures in one run of the model, 1 by default. Only neighbours of equal size go together, and where there are not
   * enough of them each runs alone. A run waits until it is full, so that more than 1 suits files better than a camera.
   * It pays for small models; of a checkpoint on the CPU, each number that is used keeps a copy in memory.
   */
  readonly batch?: number;
  /** What a picture that cannot be read does: `throw` (default) ends the stream, `report` gives a `BrokenPicture`. */
  readonly broken?: 'throw' | 'report';
}

/** Stands in a stream at the place of a picture that could not be read. */
export interface BrokenPicture {
  readonly source: string;
  readonly error: BoxwrightError;
}

/** What a detector says of itself. */
export type DetectorAbout = Pick<PictureDetector<never>, 'model' | 'classes' | 'minScore' | 'suggestedThresholds'>;

/** What detectors have in common wherever they run: pictures of one kind in, detections out. */
export abstract class PictureDetector<Input> {
  /** Name of the model, such as `refinedet-vgg16-320`. */
  readonly model: string;
  readonly classes: readonly string[];
  readonly minScore: MinScore;
  /** By class name, what the optimal LRP error of its training's evaluation suggests; absent if the file has none. */
  readonly suggestedThresholds?: ScoreThresholds;
  readonly #model: PictureModel;
  readonly #reader: PictureReader<Input>;

  protected constructor(about: DetectorAbout, model: PictureModel, reader: PictureReader<Input>) {
    this.model = about.model;
    this.classes = about.classes;
    this.minScore = about.minScore;
    this.suggestedThresholds = about.suggestedThresholds;
    this.#model = model;
    this.#reader = reader;
  }

  /**
   * What is in a picture, or in each of several: boxes `[x1, y1, x2, y2]` in pixels of the source picture, by falling score.
   *
   * @throws BoxwrightError `data` for a picture that cannot be read; `aborted` when the signal stops it.
   */
  async detect(input: Input, options?: DetectOptions): Promise<PictureDetections>;
  async detect(inputs: readonly Input[], options?: DetectOptions): Promise<PictureDetections[]>;
  async detect(
    input: Input | readonly Input[],
    options: DetectOptions = {},
  ): Promise<PictureDetections | PictureDetections[]> {
    const found: PictureDetections[] = [];
    const inputs = Array.isArray(input) ? (input as readonly Input[]) : [input as Input];
    for await (const picture of this.stream(inputs, options)) found.push(picture);
    return Array.isArray(input) ? found : found[0];
  }

  /**
   * Detects in many pictures, one after the other in their order. The next ones are decoded while the model runs, a few
   * at a time, so that memory stays bounded however many there are.
   *
   * @throws BoxwrightError `data` for a picture that cannot be read, at its turn, unless `broken` is `report`; `aborted`
   *   when the signal stops it.
   */
  stream(
    inputs: Inputs<Input>,
    options: StreamOptions & { readonly broken: 'report' },
  ): AsyncGenerator<PictureDetections | BrokenPicture, void, undefined>;
  stream(
    inputs: Inputs<Input>,
    options?: StreamOptions & { readonly broken?: 'throw' },
  ): AsyncGenerator<PictureDetections, void, undefined>;
  async *stream(
    inputs: Inputs<Input>,
    options: StreamOptions = {},
  ): AsyncGenerator<PictureDetections | BrokenPicture, void, undefined> {
    const { batch = 1, broken = 'throw', minScore = this.minScore, signal } = options;
    const lowest = lowestScores(minScore, this.classes, this.suggestedThresholds);
    if (!Number.isInteger(batch) || batch < 1) {
      throw new BoxwrightError('config', `batch is ${batch}, expected a whole number from 1.`);
    }
    throwIfAborted(signal);
    const runs = readAhead(this.#runs(readAhead(readings(inputs, this.#reader), 2 * batch), batch, lowest), 1);
    try {
      for (;;) {
        const { done, value } = await unlessAborted(runs.next(), signal);
        if (done) return;
        for (const result of await unlessAborted(value.results, signal)) {
          if ('error' in result && broken === 'throw') throw result.error;
          yield result;
        }
      }
    } finally {
      runs.return().catch(() => {});
    }
  }

  /** Runs the model once on a blank picture, so that the first real one does not pay for what is done only once. */
  async warmup(): Promise<void> {
    await this.#model(stacked([{ data: new Uint8Array(64 * 64 * 3), width: 64, height: 64 }]));
  }

  /** Frees the model; calls under way are rejected. */
  abstract dispose(): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** Begins a run for every group of pictures; the results are promises, so that the next run can be made ready. */
  async *#runs(pictures: AsyncIterable<Reading>, batch: number, lowest: readonly number[]) {
    for await (const group of groups(pictures, batch)) {
      const results = this.#run(group, lowest);
      results.catch(() => {});
      yield { results };
    }
  }

  /** Detects in pictures of equal size, or reports a single broken one. */
  async #run(group: readonly ReadPicture[], lowest: readonly number[]): Promise<(PictureDetections | BrokenPicture)[]> {
    const pictures = group.map(({ picture }) => picture);
    if (pictures[0] instanceof BoxwrightError) return [{ source: group[0].source, error: pictures[0] }];
    const outputs = await this.#model(stacked(pictures as Picture[]));
    const found = detectionsOf(outputs, this.classes, group.length, lowest);
    return group.map(({ source, picture }, i) => {
      const { width, height } = picture as Picture;
      return { source, width, height, detections: found[i] };
    });
  }
}
