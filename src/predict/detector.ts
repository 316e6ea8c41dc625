import type { Picture } from '../data/decode.js';
import { Engine } from '../engine/engine.js';
import type { Provider } from '../engine/protocol.js';
import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { PullProgress } from '../hub/progress.js';
import type { WeightsSource } from '../hub/weights-file.js';
import type { ScoreThresholds } from '../weights/score-thresholds.js';
import type { Detection, PictureDetections } from './formats/picture-detections.js';
import { defaultMinScore, lowestScores, type MinScore } from './lowest-scores.js';
import { openModel } from './model-source.js';
import { type PictureInput, readPicture, sourceName } from './picture-input.js';
import { loadPictureModel, type PictureModel } from './picture-model.js';
import { readAhead, throwIfAborted, unlessAborted } from './read-ahead.js';
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
   * It pays for small models; on the CPU each number that is used keeps a copy of the model in memory.
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

/** A picture under way: decoded, or the reason why not. */
interface Decoded {
  readonly source: string;
  readonly picture: Picture | BoxwrightError;
}

/** The promise stands in an object, since a generator would await a bare one. */
interface Decoding {
  readonly decoded: Promise<Decoded>;
}

/** Pictures one after the other, from a list or as they come. */
export type PictureInputs = Iterable<PictureInput> | AsyncIterable<PictureInput>;

type About = Pick<Detector, 'model' | 'classes' | 'minScore' | 'suggestedThresholds' | 'note'>;

/**
 * A trained detector, ready to run. The work happens in a thread of its own: the event loop stays free.
 *
 * ```ts
 * await using detector = await Detector.load('runs/cells');
 * const { detections } = await detector.detect('cell.jpg');
 * for await (const { source, detections } of detector.stream(paths)) console.log(source, detections.length);
 * ```
 */
export class Detector {
  /** Name of the model, such as `refinedet-vgg16-320`. */
  readonly model: string;
  readonly classes: readonly string[];
  readonly minScore: MinScore;
  /** By class name, what the optimal LRP error of its training's evaluation suggests; absent if the file has none. */
  readonly suggestedThresholds?: ScoreThresholds;
  /** For weights of another project: what was taken for what, in words. */
  readonly note?: string;
  readonly #engine: Engine;
  readonly #model: PictureModel;

  private constructor(engine: Engine, model: PictureModel, about: About) {
    this.#engine = engine;
    this.#model = model;
    this.model = about.model;
    this.classes = about.classes;
    this.minScore = about.minScore;
    this.suggestedThresholds = about.suggestedThresholds;
    this.note = about.note;
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

  /**
   * What is in a picture, or in each of several: boxes `[x1, y1, x2, y2]` in pixels of the source picture, by falling score.
   *
   * @throws BoxwrightError `data` for a picture that cannot be read; `aborted` when the signal stops it.
   */
  async detect(input: PictureInput, options?: DetectOptions): Promise<PictureDetections>;
  async detect(inputs: readonly PictureInput[], options?: DetectOptions): Promise<PictureDetections[]>;
  async detect(
    input: PictureInput | readonly PictureInput[],
    options: DetectOptions = {},
  ): Promise<PictureDetections | PictureDetections[]> {
    const found: PictureDetections[] = [];
    const inputs = Array.isArray(input) ? (input as readonly PictureInput[]) : [input as PictureInput];
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
    inputs: PictureInputs,
    options: StreamOptions & { readonly broken: 'report' },
  ): AsyncGenerator<PictureDetections | BrokenPicture, void, undefined>;
  stream(
    inputs: PictureInputs,
    options?: StreamOptions & { readonly broken?: 'throw' },
  ): AsyncGenerator<PictureDetections, void, undefined>;
  async *stream(
    inputs: PictureInputs,
    options: StreamOptions = {},
  ): AsyncGenerator<PictureDetections | BrokenPicture, void, undefined> {
    const { batch = 1, broken = 'throw', minScore = this.minScore, signal } = options;
    const lowest = lowestScores(minScore, this.classes, this.suggestedThresholds);
    if (!Number.isInteger(batch) || batch < 1) {
      throw new BoxwrightError('config', `batch is ${batch}, expected a whole number from 1.`);
    }
    throwIfAborted(signal);
    const runs = readAhead(this.#runs(readAhead(decodes(inputs), 2 * batch), batch, lowest), 1);
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
    await this.detect({ data: new Uint8Array(64 * 64 * 3), width: 64, height: 64, channels: 3 });
  }

  /** Frees the model and ends its thread; calls under way are rejected. */
  async dispose(): Promise<void> {
    await this.#engine.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** Begins a run for every group of pictures; the results are promises, so that the next run can be made ready. */
  async *#runs(pictures: AsyncIterable<Decoding>, batch: number, lowest: readonly number[]) {
    for await (const group of groups(pictures, batch)) {
      const results = this.#run(group, lowest);
      results.catch(() => {});
      yield { results };
    }
  }

  /** Detects in pictures of equal size, or reports a single broken one. */
  async #run(group: readonly Decoded[], lowest: readonly number[]): Promise<(PictureDetections | BrokenPicture)[]> {
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

/** Begins to decode each picture. */
async function* decodes(inputs: PictureInputs): AsyncGenerator<Decoding, void, undefined> {
  let index = 0;
  for await (const input of inputs) yield { decoded: decode(input, index++) };
}

/** Never rejects, since nobody may be listening before the picture's turn comes. */
async function decode(input: PictureInput, index: number): Promise<Decoded> {
  let source = `picture ${index}`;
  try {
    source = sourceName(input, index);
    return { source, picture: await readPicture(input, source) };
  } catch (cause) {
    if (cause instanceof BoxwrightError) return { source, picture: cause };
    return { source, picture: new BoxwrightError('data', `${source}: ${(cause as Error).message}`, { cause }) };
  }
}

/** `size` neighbours of equal size together, where there are so many; others and broken pictures stand alone. */
async function* groups(pictures: AsyncIterable<Decoding>, size: number): AsyncGenerator<Decoded[], void, undefined> {
  let group: Decoded[] = [];
  for await (const { decoded } of pictures) {
    const next = await decoded;
    if (group.length > 0 && !sameSize(group[0].picture, next.picture)) {
      for (const single of group) yield [single];
      group = [];
    }
    group.push(next);
    if (group.length === size || next.picture instanceof BoxwrightError) {
      yield group;
      group = [];
    }
  }
  for (const single of group) yield [single];
}

function sameSize(a: Decoded['picture'], b: Decoded['picture']): boolean {
  if (a instanceof BoxwrightError || b instanceof BoxwrightError) return false;
  return a.width === b.width && a.height === b.height;
}

/** uint8 [batch, height, width, 3] */
function stacked(pictures: readonly Picture[]): Tensor {
  const [{ data: first, width, height }] = pictures;
  const shape = [pictures.length, height, width, 3];
  if (pictures.length === 1) return { dtype: 'uint8', shape, data: first };
  const data = new Uint8Array(pictures.length * first.length);
  pictures.forEach((picture, i) => {
    data.set(picture.data, i * first.length);
  });
  return { dtype: 'uint8', shape, data };
}

/** The model's outputs as lists, one a picture. */
function detectionsOf(
  outputs: Readonly<Record<string, Tensor>>,
  classes: readonly string[],
  pictures: number,
  lowest: readonly number[],
): Detection[][] {
  const boxes = outputs.boxes.data as Float32Array;
  const scores = outputs.scores.data as Float32Array;
  const labels = outputs.labels.data as BigInt64Array;
  const owners = outputs.pictures.data as BigInt64Array;
  const found = Array.from({ length: pictures }, (): Detection[] => []);
  for (let i = 0; i < scores.length; i++) {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    const labelIndex = Number(labels[i]);
    if (scores[i] < lowest[labelIndex]) continue;
    found[Number(owners[i])].push({ box: [x1, y1, x2, y2], label: classes[labelIndex], labelIndex, score: scores[i] });
  }
  return found;
}
