import { Engine } from '../engine/engine.js';
import type { Provider } from '../engine/protocol.js';
import type { PullProgress } from '../hub/progress.js';
import type { WeightsSource } from '../hub/weights-file.js';
import { defaultMinScore, lowestScores, type MinScore } from './lowest-scores.js';
import { openModel } from './model-source.js';
import { type DetectorAbout, PictureDetector, type PictureModel } from './picture-detector.js';
import type { Inputs } from './picture-groups.js';
import { type PictureInput, readPicture, sourceName } from './picture-input.js';
import { loadPictureModel } from './picture-model.js';
import { loadModel } from './sessions.js';
import type { TestTime } from './test-time.js';

/** How a detector is opened and run. */
export interface LoadOptions {
  /** Default `cpu`. */
  readonly provider?: Provider;
  /** Threads of one operator; default: all cores. */
  readonly threads?: number;
  /**
   * Detections of a lower score are left out, 0 to 1; 0.3 by default. `suggested`: for each class the score at which it
   * was best on the validation pictures of its training (`suggestedThresholds`), 0.3 for a class without. A single call
   * may ask for another.
   */
  readonly minScore?: MinScore;
  /** Looks at every picture in several ways and merges what is found: better boxes for more time. */
  readonly testTime?: TestTime;
  /** Only the first stages of a Cascade R-CNN, up to this one, counted from 1, whose own scores are given. */
  readonly stage?: number;
  /** Name of the model, for weights of another project that do not say it; by default the only one that they fit. */
  readonly model?: string;
  /** Classes in their order, for weights that do not name them. */
  readonly classes?: readonly string[];
  /** Told of the download where a card is given whose file is not there. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** Ends a download. */
  readonly signal?: AbortSignal;
}

/** Pictures one after the other, from a list or as they come. */
export type PictureInputs = Inputs<PictureInput>;

/**
 * A trained detector, ready to run. The work happens in a thread of its own: the event loop stays free.
 *
 * ```ts
 * await using detector = await Detector.load('runs/cells');
 * const { detections } = await detector.detect('cell.jpg');
 * for await (const { source, detections } of detector.stream(paths)) console.log(source, detections.length);
 * ```
 */
export class Detector extends PictureDetector<PictureInput> {
  readonly #engine: Engine;
  /** What a person should know of the weights: what was taken for what in those of another project, or that a run has no best ones. */
  readonly note?: string;

  private constructor(engine: Engine, model: PictureModel, { note, ...about }: DetectorAbout & { note?: string }) {
    super(about, model, { nameOf: sourceName, read: readPicture });
    this.#engine = engine;
    this.note = note;
  }

  /**
   * Loads a run folder (its best checkpoint, else its last), a `.safetensors` checkpoint or an exported `.onnx` file; or
   * published weights by the name of their card (see `cards` of `boxwright/hub`), which are downloaded and checked first;
   * or weights of another project (docs/weights.md), whose model and classes may have to be given.
   *
   * @throws BoxwrightError `io` if there is no such file; `weights` if it is damaged or holds no detector; `provider` if
   *   the provider is not there; `config` for a `minScore` outside 0 to 1 or that the file does not
   *   suggest, or a scale or stage that the model cannot have.
   */
  static async load(source: WeightsSource, options: LoadOptions = {}): Promise<Detector> {
    const { provider = 'cpu', threads, minScore = defaultMinScore } = options;
    const opened = await openModel(source, options);
    const about = opened.kind === 'onnx' ? opened : opened.checkpoint;
    const { model, classes, scoreThresholds: suggestedThresholds } = about;
    lowestScores(minScore, classes, suggestedThresholds); // refused before the model is made
    const note = opened.kind === 'onnx' ? undefined : opened.note;
    const engine = await Engine.start({ provider, threads });
    try {
      const pictureModel = await loadPictureModel(opened, options, (recipe) => loadModel(engine, opened, recipe));
      return new Detector(engine, pictureModel, { model, classes, minScore, suggestedThresholds, note });
    } catch (error) {
      await engine.dispose();
      throw error;
    }
  }

  /** Frees the model and ends its thread; calls under way are rejected. */
  async dispose(): Promise<void> {
    await this.#engine.dispose();
  }
}
