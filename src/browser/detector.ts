import { exportedDetector } from '../predict/exported-detector.js';
import { defaultMinScore, lowestScores, type MinScore } from '../predict/lowest-scores.js';
import { type DetectorAbout, PictureDetector } from '../predict/picture-detector.js';
import type { Inputs } from '../predict/picture-groups.js';
import { throwIfAborted } from '../predict/read-ahead.js';
import { memorySource } from '../weights/byte-source.js';
import { readOnnxMetadata } from '../weights/formats/onnx-metadata.js';
import type { LoadProgress } from './download.js';
import { type ModelInput, modelBytes } from './model-bytes.js';
import { type PictureInput, readPicture, sourceName } from './picture-input.js';
import { type BrowserModel, type Provider, startModel } from './runtime.js';

/** How a detector is opened and run. */
export interface LoadOptions {
  /** Default `wasm`. */
  readonly provider?: Provider;
  /**
   * Threads of one operator; ONNX Runtime's choice by default. More than one needs a page that is cross-origin isolated,
   * and the first detector of a page decides.
   */
  readonly threads?: number;
  /**
   * Detections of a lower score are left out, 0 to 1; 0.3 by default. `suggested`: for each class the score at which it
   * was best on the validation pictures of its training (`suggestedThresholds`), 0.3 for a class without. A single call
   * may ask for another.
   */
  readonly minScore?: MinScore;
  /** Told of the download of a model that is given by its address. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends that download. */
  readonly signal?: AbortSignal;
}

/** Pictures one after the other, from a list or as they come. */
export type PictureInputs = Inputs<PictureInput>;

/**
 * An exported detector, ready to run in a page or a web worker. It runs in the thread that made it: a page that has to
 * answer meanwhile makes it in a worker.
 *
 * ```ts
 * await using detector = await Detector.load('/models/cells.onnx');
 * const { detections } = await detector.detect(document.querySelector('img')!);
 * ```
 */
export class Detector extends PictureDetector<PictureInput> {
  readonly #model: BrowserModel;

  private constructor(model: BrowserModel, about: DetectorAbout) {
    super(about, model.run, { nameOf: sourceName, read: readPicture });
    this.#model = model;
  }

  /**
   * Loads a file that `boxwright export` wrote, from its address or its bytes.
   *
   * @throws BoxwrightError `network` if it cannot be downloaded; `weights` if it is damaged or holds no detector;
   *   `provider` if the browser has no WebGPU; `engine` if onnxruntime-web is not there or refuses the model; `config` for
   *   a `minScore` outside 0 to 1 or that the file does not suggest; `aborted` by the signal.
   */
  static async load(source: ModelInput, options: LoadOptions = {}): Promise<Detector> {
    const { provider = 'wasm', threads, minScore = defaultMinScore, signal } = options;
    throwIfAborted(signal);
    const { name, bytes } = await modelBytes(source, options);
    const metadata = await readOnnxMetadata(memorySource(bytes, name));
    const { model, classes, scoreThresholds: suggestedThresholds } = exportedDetector(name, metadata);
    lowestScores(minScore, classes, suggestedThresholds); // refused before the model is made
    const started = await startModel(name, bytes, { provider, threads });
    return new Detector(started, { model, classes, minScore, suggestedThresholds });
  }

  /** Frees the model; calls that wait are rejected. */
  async dispose(): Promise<void> {
    await this.#model.dispose();
  }
}
