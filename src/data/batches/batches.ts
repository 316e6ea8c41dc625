import { availableParallelism } from 'node:os';
import { BoxwrightError } from '../../errors.js';
import { type CanvasSize, chooseCanvases, type ResizeRule } from '../../models/canvas.js';
import type { TargetSpec } from '../../models/targets.js';
import { roomFactor } from '../augment/extras.js';
import { randomStream, shuffledOrder } from '../augment/random.js';
import { type AugmentationRecipe, noAugmentation } from '../augment/recipe.js';
import type { DataProblem, Dataset } from '../dataset.js';
import { type Batch, type BatchArrays, newBatchArrays } from './batch.js';
import { assignCanvases, countEach, type PlannedBatch, planBatches } from './batch-plan.js';
import { type FillEntry, type FillResult, type FillSetup, type FillSource, type FillTask, fillBatch } from './fill.js';
import { type Inclusion, type LearnableImage, learnableImages } from './learnable.js';
import { WorkerPool } from './worker-pool.js';

/** How batches are made. */
export interface BatchLoaderOptions {
  readonly dataset: Dataset;
  readonly batchSize: number;
  /** How pictures come to size; it also decides the unit of the boxes, see `BatchArrays`. */
  readonly resize: ResizeRule;
  /** Sizes of the batches' pictures; by default a few that suit the data set, see `chooseCanvases`. */
  readonly canvases?: readonly CanvasSize[];
  /** `noAugmentation` by default. */
  readonly augmentation?: AugmentationRecipe;
  /** Decides order and augmentation together with the epoch; 0 by default. */
  readonly seed?: number;
  /** A new order each epoch; true by default. Validation goes without. */
  readonly shuffle?: boolean;
  /**
   * Leave out a canvas' last batch that is not full; by default as `shuffle`. A canvas with fewer pictures than a batch is
   * then not used: its pictures go to the next best.
   */
  readonly dropLast?: boolean;
  /**
   * What a picture that cannot be decoded does: `replace` puts another one of its canvas in its place, the same in every
   * run, and tells `onProblem` once; `throw` ends the epoch. By default `replace` if shuffled.
   */
  readonly broken?: 'replace' | 'throw';
  /** Told of each broken picture once. */
  readonly onProblem?: (problem: DataProblem) => void;
  /** Places for boxes in a batch; by default as many as the fullest picture needs, and more where pictures are mixed. */
  readonly maxBoxes?: number;
  /** Which objects and pictures are handed out. */
  readonly include?: Inclusion;
  /** Targets to encode for each picture. */
  readonly targets?: TargetSpec;
  /** Threads; by default one less than there are cores, 1 to 4. 0 does the work in the calling thread. */
  readonly workers?: number;
  /** Batches made ahead, which bounds memory; one more than workers by default. */
  readonly prefetch?: number;
}

/** A batch under way. */
interface Pending {
  readonly batch: Promise<Batch>;
  cancel(): void;
}

/** Broken pictures in a row, in one place, before the data set is taken to be broken as a whole. */
const MAX_REPLACEMENTS = 64;

/**
 * Loads a data set in batches of fixed shapes on worker threads, a few ahead. Order and pixels depend on seed, epoch, data
 * set and canvases alone, not on workers or on where an epoch is entered. Pictures that keep their ratio come in batches
 * of one canvas each, so not quite in the epoch's order.
 *
 * @example
 * await using loader = new BatchLoader({ dataset, batchSize: 8, resize: { kind: 'stretch', size: 320 }, augmentation: paperAugmentation });
 * for await (const batch of loader.epoch(0)) { … batch.release(); }
 */
export class BatchLoader {
  /** Batches in an epoch. */
  readonly batchesPerEpoch: number;
  /** Places for boxes in a batch. */
  readonly maxBoxes: number;
  /** Sizes of the batches' pictures. */
  readonly canvases: readonly CanvasSize[];
  readonly #options: BatchLoaderOptions;
  readonly #images: readonly LearnableImage[];
  /** Canvas of each picture. */
  readonly #canvasOf: Uint16Array;
  readonly #dropLast: boolean;
  readonly #setup: FillSetup;
  readonly #pool: WorkerPool | undefined;
  readonly #prefetch: number;
  readonly #broken = new Map<number, DataProblem>();
  /** Arrays to be filled again, of each canvas. */
  readonly #spare: BatchArrays[][];
  #disposed = false;

  /** @throws BoxwrightError `config` for sizes that do not fit the data set. */
  constructor(options: BatchLoaderOptions) {
    const { dataset, batchSize, resize, shuffle = true, dropLast = shuffle } = options;
    this.#options = options;
    this.#dropLast = dropLast;
    this.#images = learnableImages(dataset, options.include ?? {});
    requireWhole({ batchSize, ...sidesOf(resize) }, 1);
    const fullest = this.#images.reduce((most, { objects }) => Math.max(most, objects.labels.length), 1);
    this.maxBoxes = options.maxBoxes ?? fullest * roomFactor(options.augmentation ?? noAugmentation);
    requireRoom(this.#images, this.maxBoxes);
    this.canvases = options.canvases ?? chooseCanvases(resize, this.#images);
    requireWhole({ canvases: this.canvases.length }, 1);
    for (const { width, height } of this.canvases) requireWhole({ width, height }, 1);
    this.#canvasOf = assignCanvases(resize, this.canvases, this.#images, dropLast ? batchSize : 1);
    this.#spare = this.canvases.map(() => []);
    const full = dropLast ? Math.floor : Math.ceil;
    const counts = countEach(this.#canvasOf, this.canvases.length);
    this.batchesPerEpoch = counts.reduce((sum, pictures) => sum + full(pictures / batchSize), 0);
    if (this.batchesPerEpoch === 0) {
      const count = this.#images.length;
      throw new BoxwrightError(
        'config',
        `${dataset.name}: ${count} pictures do not fill a batch of ${batchSize}; use a batch of at most ${count}`,
      );
    }
    const workers = options.workers ?? Math.min(Math.max(availableParallelism() - 1, 1), 4);
    this.#prefetch = options.prefetch ?? workers + 1;
    requireWhole({ workers }, 0);
    requireWhole({ prefetch: this.#prefetch, maxBoxes: this.maxBoxes }, 1);
    const { augmentation = noAugmentation, seed = 0, targets } = options;
    this.#setup = {
      batchSize,
      maxBoxes: this.maxBoxes,
      resize,
      augmentation,
      seed,
      targets,
    };
    this.#pool = workers > 0 ? new WorkerPool(this.#setup, workers) : undefined;
  }

  /** Pictures that could not be decoded so far. */
  get problems(): readonly DataProblem[] {
    return [...this.#broken.values()];
  }

  /**
   * The batches of an epoch (from 0), beginning at `startBatch` to go on where a run was stopped. Leaving the loop early
   * cancels what is under way.
   *
   * @throws BoxwrightError `data` for a picture that cannot be loaded, with its name; `aborted` after `dispose`.
   */
  async *epoch(epoch: number, startBatch = 0): AsyncGenerator<Batch, void, undefined> {
    if (this.#disposed) throw new BoxwrightError('aborted', 'The batch loader has been disposed of; make a new one');
    requireWhole({ epoch, startBatch }, 0);
    if (startBatch > this.batchesPerEpoch) {
      throw new BoxwrightError(
        'config',
        `Batch ${startBatch} of epoch ${epoch} was asked for, but an epoch has ${this.batchesPerEpoch} batches`,
      );
    }
    const order = this.#orderOf(epoch);
    const plan = planBatches(order, this.#canvasOf, this.#options.batchSize, !this.#dropLast);
    const pending: Pending[] = [];
    let next = startBatch;
    const startSome = (count: number) => {
      while (pending.length < count && next < this.batchesPerEpoch) {
        pending.push(this.#begin(epoch, next, order, plan[next]));
        next++;
      }
    };
    try {
      // Without workers nothing goes on in the background, and a batch is only made when it is asked for.
      const ahead = this.#pool ? this.#prefetch : 1;
      for (startSome(ahead); pending.length > 0; startSome(ahead)) {
        const began = performance.now();
        const batch = await (this.#pool ? this.#pool.waitFor(pending[0].batch) : pending[0].batch);
        pending.shift();
        if (this.#pool) startSome(ahead);
        yield { ...batch, waitedMs: performance.now() - began };
      }
    } finally {
      for (const { cancel } of pending) cancel();
    }
  }

  /** Ends the workers. Batches handed out stay valid. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const spare of this.#spare) spare.length = 0;
    await this.#pool?.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #orderOf(epoch: number): Uint32Array {
    const { seed = 0, shuffle = true } = this.#options;
    const count = this.#images.length;
    return shuffle ? shuffledOrder(count, seed, epoch) : Uint32Array.from({ length: count }, (_, i) => i);
  }

  #begin(epoch: number, index: number, order: Uint32Array, planned: PlannedBatch): Pending {
    const state: { cancelled: boolean; task?: FillTask } = { cancelled: false };
    const batch = this.#make(epoch, index, order, planned, state);
    // A failure is met when the batch's turn comes; until then, or if it never comes, it must not count as unhandled.
    batch.catch(() => {});
    return {
      batch,
      cancel: () => {
        state.cancelled = true;
        if (state.task && this.#pool?.withdraw(state.task)) this.#releaser(state.task.arrays, planned.canvas)();
        batch.then(
          ({ release }) => release(),
          () => {},
        );
      },
    };
  }

  /** Fills a batch, asking again for the places whose pictures were broken. */
  async #make(
    epoch: number,
    index: number,
    order: Uint32Array,
    { canvas: shape, positions }: PlannedBatch,
    state: { cancelled: boolean; task?: FillTask },
  ): Promise<Batch> {
    const canvas = this.canvases[shape];
    const count = positions.length;
    const own = positions.map((position) => order[position]);
    const pictures = [...own];
    const replacements = positions.map((position) => this.#replacements(epoch, position, shape));
    let arrays = this.#spare[shape].pop() ?? newBatchArrays(this.#setup, canvas);
    let slots = positions.map((_, slot) => slot);
    // A picture known to be broken is passed over here just as one that turns out to be, so the choice is the same.
    for (const slot of slots) if (this.#broken.has(pictures[slot])) pictures[slot] = replacements[slot].next().value;
    while (slots.length > 0 && !state.cancelled) {
      const entries = slots.map((slot) => this.#entry(epoch, pictures[slot], slot, positions[slot]));
      state.task = { epoch, canvas, arrays, entries, count };
      const { arrays: filled, failures }: FillResult = await (this.#pool?.run(state.task) ??
        fillBatch(this.#setup, state.task));
      arrays = filled;
      for (const { slot, message } of failures) this.#noteBroken(pictures[slot], message);
      for (const { slot } of failures) pictures[slot] = replacements[slot].next().value;
      slots = failures.map(({ slot }) => slot);
    }
    return {
      ...arrays,
      epoch,
      index,
      canvas,
      count,
      pictures: pictures.map((picture) => this.#images[picture].index),
      replaced: pictures.map((picture, slot) => picture !== own[slot]),
      files: pictures.map((picture) => this.#images[picture].name),
      waitedMs: 0,
      release: this.#releaser(arrays, shape),
    };
  }

  #entry(epoch: number, picture: number, slot: number, position: number): FillEntry {
    return { slot, position, ...this.#source(picture), ...this.#companions(epoch, position) };
  }

  #source(picture: number): FillSource {
    const { path, name, width, height, objects } = this.#images[picture];
    return { path, name, width, height, objects };
  }

  /** Pictures to be mixed in, drawn for the place by a stream of their own, behind those of replacements. */
  #companions(epoch: number, position: number): Pick<FillEntry, 'mosaic' | 'mixUp'> {
    const { mosaic, mixUp } = this.#setup.augmentation;
    if (!mosaic && !mixUp) return {};
    const count = this.#images.length;
    const random = randomStream(this.#setup.seed, epoch, 2 * count + position);
    const draw = () => this.#source(random.int(count));
    const hasMosaic = mosaic !== undefined && random.uniform(0, 1) < mosaic.chance;
    const tiles = hasMosaic ? { mosaic: [draw(), draw(), draw()] } : {};
    return mixUp && random.uniform(0, 1) < mixUp.chance ? { ...tiles, mixUp: draw() } : tiles;
  }

  /**
   * Pictures to put in a place whose own is broken, drawn for that place: of its canvas, or if these fail, of all, shrunk
   * if need be.
   */
  *#replacements(epoch: number, position: number, canvas: number): Generator<number, never, undefined> {
    const count = this.#images.length;
    const random = randomStream(this.#setup.seed, epoch, count + position);
    const all = Array.from(this.#canvasOf.keys());
    const alike = all.filter((picture) => this.#canvasOf[picture] === canvas);
    for (const candidates of alike.length < count ? [alike, all] : [all]) {
      for (let tries = 0; tries < MAX_REPLACEMENTS; tries++) {
        const picture = candidates[random.int(candidates.length)];
        if (!this.#broken.has(picture)) yield picture;
      }
    }
    const [example] = this.#broken.values();
    throw new BoxwrightError(
      'data',
      `${this.#options.dataset.name}: ${this.#broken.size} of ${count} pictures cannot be decoded, too many to go on; the first: ${example.file}: ${example.what}`,
    );
  }

  #noteBroken(picture: number, message: string): void {
    const { shuffle = true, broken = shuffle ? 'replace' : 'throw', onProblem } = this.#options;
    if (broken === 'throw') throw new BoxwrightError('data', message);
    if (this.#broken.has(picture)) return;
    const file = this.#images[picture].name;
    const what = message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message;
    const problem: DataProblem = { kind: 'broken picture', file, what, action: 'replaced' };
    this.#broken.set(picture, problem);
    onProblem?.(problem);
  }

  #releaser(arrays: BatchArrays, canvas: number): (returned?: BatchArrays) => void {
    let released = false;
    const spare = this.#spare[canvas];
    return (returned = arrays) => {
      if (released || this.#disposed || spare.length > this.#prefetch) return;
      released = true;
      // Arrays whose buffers have moved to another thread are of no use; without new ones they are let go.
      if (returned.images.byteLength > 0) spare.push(returned);
    };
  }
}

/** The numbers of a rule that are pixels. */
function sidesOf(rule: ResizeRule): Record<string, number> {
  if (rule.kind === 'stretch') return { size: rule.size };
  return { long: rule.long, short: rule.short, multiple: rule.multiple };
}

function requireWhole(values: Record<string, number>, least: number): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isInteger(value) || value < least) {
      throw new BoxwrightError(
        'config',
        `BatchLoader: ${name} is ${value}, expected a whole number of at least ${least}`,
      );
    }
  }
}

function requireRoom(images: readonly LearnableImage[], maxBoxes: number): void {
  const tooFull = images.find(({ objects }) => objects.labels.length > maxBoxes);
  if (!tooFull) return;
  const count = tooFull.objects.labels.length;
  throw new BoxwrightError(
    'config',
    `${tooFull.name}: it has ${count} boxes, but maxBoxes is ${maxBoxes}; give at least ${count}`,
  );
}
