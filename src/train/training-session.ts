import type { Engine, Session, State } from '../engine/engine.js';
import type { Tensors } from '../engine/protocol.js';
import { BoxwrightError } from '../errors.js';
import type { Tensor, Value } from '../graph/index.js';
import { typeText } from '../graph/value.js';
import { writeLowered } from '../lowering/write.js';
import type { CanvasSize } from '../models/canvas.js';
import { type DetectorRecipe, evaluationGraph, trainingLosses } from '../models/model.js';
import { Parameters } from '../nn/parameters.js';
import {
  averageInput,
  initialOptimizerState,
  rateInput,
  type StepGraph,
  type StepRecipe,
  stateName,
  type TrainingStep,
  trainingStep,
} from '../nn/training-step.js';

export interface SessionSetup {
  readonly recipe: DetectorRecipe;
  readonly step: StepRecipe;
  /** Pictures in a batch, and places for boxes in a picture: the graph's shapes are fixed. */
  readonly batch: number;
  readonly maxBoxes: number;
  /** Sizes of the pictures, a graph of the step each. */
  readonly canvases: readonly CanvasSize[];
  /** First values of all parameters. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** State of a run that goes on. */
  readonly state?: ReadonlyMap<string, Tensor>;
  /** Batches gathered since the last update, in a run that goes on. */
  readonly gathered?: number;
  /** Batch norm layers, by name, that use and keep the statistics they start with. */
  readonly fixedStatistics: (layer: string) => boolean;
}

/** Figures of one batch. */
export interface StepResult {
  readonly loss: number;
  readonly losses: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
}

/** Inputs that a graph got its values with, not through the feeds. */
type Frozen = ReadonlyMap<string, Tensor>;

/**
 * A model in training: the step's graphs and its state in the engine. Frozen parameters stand in the graphs as constants.
 */
export class TrainingSession {
  readonly #engine: Engine;
  /** The step's graph for each canvas that pictures have come on; the first one is there from the start. */
  readonly #batches: Map<string, Session>;
  readonly #apply: Session | undefined;
  readonly #state: State;
  readonly #step: TrainingStep;
  readonly #frozen: Frozen;
  readonly #setup: SessionSetup;
  #evaluation: Session | undefined;
  #sinceUpdate = 0;

  private constructor(
    engine: Engine,
    sessions: { batches: Map<string, Session>; apply?: Session },
    state: State,
    step: TrainingStep,
    frozen: Frozen,
    setup: SessionSetup,
  ) {
    this.#engine = engine;
    this.#batches = sessions.batches;
    this.#apply = sessions.apply;
    this.#state = state;
    this.#step = step;
    this.#frozen = frozen;
    this.#setup = setup;
    this.#sinceUpdate = setup.gathered ?? 0;
  }

  /**
   * @throws BoxwrightError `config` if every parameter is frozen; `weights` if a saved state does not fit; `engine` if the
   *   runtime refuses a graph.
   */
  static async create(engine: Engine, setup: SessionSetup): Promise<TrainingSession> {
    const [first] = setup.canvases;
    const { p, step } = writeStep(setup, first);
    const moving = new Set([...step.trained.map(({ name }) => name), ...p.updates.keys()]);
    const frozen = new Map([...setup.parameters].filter(([name]) => !moving.has(name)));
    const load = (name: string, { outputs }: StepGraph) => engine.load(writeGraph(name, outputs, engine, frozen));
    const batches = new Map([[canvasKey(first), await load('step', step.batch)]]);
    const sessions = { batches, apply: step.apply && (await load('apply', step.apply)) };
    const state: Record<string, Tensor> = {};
    for (const name of moving) state[name] = setup.parameters.get(name)!;
    Object.assign(state, initialOptimizerState(step, setup.parameters));
    for (const [name, tensor] of setup.state ?? [])
      if (name in state) state[name] = sameShape(name, tensor, state[name]);
    return new TrainingSession(engine, sessions, await engine.createState(state), step, frozen, setup);
  }

  /** Numbers that are trained: elements of all parameters that are not frozen. */
  get trained(): number {
    return this.#step.trained.reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
  }

  /**
   * One batch, and with it an update unless gradients are still being gathered.
   *
   * @param canvas size of its pictures, one of the session's.
   * @param feeds pictures, ground truth, targets and draws, of which the graph takes what it needs; their buffers move to
   *   the engine and come back by `recycle`.
   * @param rate learning rate of the update.
   * @param averageDecay weight of the past in the averaged weights, 0 to 1.
   * @returns figures of the batch; without an update the gradient's length is 0.
   */
  async step(
    canvas: CanvasSize,
    feeds: Tensors,
    rate: number,
    averageDecay: number,
    recycle: (feeds: Tensors) => void,
  ): Promise<StepResult> {
    const extra = this.#extraInputs(rate, averageDecay);
    const session = this.#batches.get(canvasKey(canvas)) ?? (await this.#loadStep(canvas));
    const results = await session.run(chosen(session, this.#apply ? feeds : { ...feeds, ...extra }), {
      state: this.#state,
      updates: this.#step.batch.updates,
      recycle,
    });
    const accumulate = this.#setup.step.accumulate ?? 1;
    let gradientNorm = results.gradient_norm;
    if (this.#apply && ++this.#sinceUpdate === accumulate) {
      this.#sinceUpdate = 0;
      const applied = await this.#apply.run(extra, { state: this.#state, updates: this.#step.apply!.updates });
      gradientNorm = applied.gradient_norm;
    }
    const { loss, gradient_norm: _, ...parts } = results;
    const number = (tensor: Tensor | undefined) => (tensor ? Number(tensor.data[0]) : 0);
    const losses = Object.fromEntries(Object.entries(parts).map(([name, tensor]) => [name, number(tensor)]));
    return { loss: number(loss), losses, gradientNorm: number(gradientNorm) };
  }

  /**
   * Detections with the weights as they are (the averaged ones, where they are kept); see `evaluationGraph`.
   *
   * @param feeds pictures and their sizes, of which the graph takes what it needs; as many pictures as in the first call.
   */
  async detect(feeds: Tensors): Promise<Record<string, Tensor>> {
    this.#evaluation ??= await this.#loadEvaluation(feeds.images.shape[0]);
    return this.#evaluation.run(chosen(this.#evaluation, feeds), { state: this.#state });
  }

  /** Not every canvas of a data set gets a batch, and a session costs seconds and memory. */
  async #loadStep(canvas: CanvasSize): Promise<Session> {
    const { outputs } = writeStep(this.#setup, canvas).step.batch;
    const session = await this.#engine.load(writeGraph('step', outputs, this.#engine, this.#frozen));
    this.#batches.set(canvasKey(canvas), session);
    return session;
  }

  /** All parameters and the rest of the state, copied out of the engine. */
  async snapshot(): Promise<{ parameters: Map<string, Tensor>; state: Map<string, Tensor> }> {
    const current = await this.#state.read();
    const parameters = new Map<string, Tensor>();
    for (const [name, tensor] of this.#setup.parameters) parameters.set(name, current[name] ?? tensor);
    const state = new Map(Object.entries(current).filter(([name]) => !this.#setup.parameters.has(name)));
    return { parameters, state };
  }

  /** The scalars that the update's graph takes beside the state. */
  #extraInputs(rate: number, averageDecay: number): Record<string, Tensor> {
    const scalar = (value: number): Tensor => ({ dtype: 'float32', shape: [], data: Float32Array.of(value) });
    const inputs: Record<string, Tensor> = { [rateInput]: scalar(rate) };
    if (this.#setup.step.averageWeights) inputs[averageInput] = scalar(averageDecay);
    return inputs;
  }

  async #loadEvaluation(batch: number): Promise<Session> {
    const averaged = new Set(this.#step.averaged);
    const inputName = (name: string) => (averaged.has(name) ? stateName('average', name) : name);
    const { outputs } = evaluationGraph(this.#setup.recipe, new Parameters({ training: false, inputName }), batch);
    return this.#engine.load(writeGraph('evaluation', { ...outputs }, this.#engine, this.#frozen));
  }
}

/** @throws BoxwrightError `weights` if a saved tensor of the state does not fit. */
function sameShape(name: string, saved: Tensor, expected: Tensor): Tensor {
  if (typeText(saved) === typeText(expected)) return saved;
  const advice = 'it is of another model or optimizer';
  throw new BoxwrightError(
    'weights',
    `The checkpoint's state "${name}" is ${typeText(saved)}, this run needs ${typeText(expected)}: ${advice}.`,
  );
}

/** The step's graph for pictures of one size. */
export function writeStep(
  setup: Omit<SessionSetup, 'canvases' | 'parameters'>,
  canvas: CanvasSize,
): { p: Parameters; step: TrainingStep } {
  const { recipe, batch, maxBoxes, fixedStatistics } = setup;
  const p = new Parameters({ training: true, fixedStatistics });
  return { p, step: trainingStep(p, trainingLosses(p, recipe, { batch, maxBoxes, canvas }), setup.step) };
}

function canvasKey({ width, height }: CanvasSize): string {
  return `${width}×${height}`;
}

/** What of the feeds a session takes. */
function chosen(session: Session, feeds: Tensors): Tensors {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputs.includes(name)));
}

function writeGraph(
  name: string,
  outputs: Readonly<Record<string, Value>>,
  engine: Engine,
  frozen: Frozen,
): Uint8Array {
  const target = { provider: engine.provider, form: 'fast' } as const;
  const { bytes, external } = writeLowered({ name, outputs, initializers: frozen }, target);
  if (external) {
    const advice = 'freeze fewer parameters or choose a smaller model';
    throw new BoxwrightError('graph', `Frozen weights of more than 2 GB do not fit into a training graph: ${advice}.`);
  }
  return bytes;
}
