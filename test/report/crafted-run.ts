import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Dataset, DatasetImage, PixelBox } from '../../src/data/dataset.js';
import { CocoEvaluator, summarise, truthOf } from '../../src/evaluate/index.js';
import { currentEnvironment } from '../../src/report/run/environment.js';
import { evaluationDetails } from '../../src/report/run/evaluation-details.js';
import { partFigures } from '../../src/report/run/part-figures.js';
import type { RecordedEvent } from '../../src/report/run/run-record.js';
import { RunReporter } from '../../src/report/run/run-reporter.js';
import { writeFileAtomically } from '../../src/weights/atomic-file.js';

/** Names that would end a script, start a tag or leave an attribute, were they written as they are. */
export const nastyClasses = [
  '</script><script>window.broken = 1</script>',
  '<img src=x onerror="window.broken = 2">',
  `"quoted" & 'so'`,
];

export interface CraftedOptions {
  readonly classes?: readonly string[];
  readonly epochs?: number;
  readonly learningRate?: number;
  /** How far detections are off. */
  readonly error?: number;
}

/** Numbers from 0 to 1, the same each time. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Pictures of one colour each, with objects; every fourth picture has none. */
export async function craftedData(folder: string, classes: readonly string[]): Promise<Dataset> {
  await mkdir(folder, { recursive: true });
  const random = numbers(7);
  const images: DatasetImage[] = [];
  for (let i = 0; i < 12; i++) {
    const [width, height] = i % 2 ? [320, 240] : [240, 360];
    const path = join(folder, `picture-${i}.jpg`);
    const background = { r: 60 + 10 * i, g: 120, b: 200 - 10 * i };
    await sharp({ create: { width, height, channels: 3, background } })
      .jpeg()
      .toFile(path);
    const objects = Array.from({ length: i % 4 }, (_, o) => {
      const [x, y] = [random() * width * 0.6, random() * height * 0.6];
      return {
        box: [x, y, x + 40 + 30 * random(), y + 30 + 40 * random()] as PixelBox,
        label: (i + o) % classes.length,
      };
    });
    images.push({ id: i, path, name: `picture-${i}.jpg`, width, height, objects });
  }
  return { name: 'crafted', format: 'coco', classes: [...classes], images, problems: [] };
}

/** Writes a run as training does, by its events, with detections that are right more or less. */
export async function craftRun(folder: string, options: CraftedOptions = {}): Promise<void> {
  const { classes = nastyClasses, epochs = 4, learningRate = 1e-3, error = 0.3 } = options;
  const run = new CraftedRun(folder, await craftedData(`${folder}-data`, classes), { epochs, learningRate });
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(join(folder, 'config.json'), JSON.stringify(run.config));
  await run.begin();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let step = 1; step <= stepsPerEpoch; step++) await run.step((epoch - 1) * stepsPerEpoch + step);
    await run.evaluate(epoch, error / epoch);
  }
  await run.tell({ kind: 'warning', message: `picture-3.jpg, object 0: <b>odd</b> (clipped)` });
  await run.tell({
    kind: 'end',
    reason: 'completed',
    step: epochs * stepsPerEpoch,
    seconds: 75.4,
    waiting: 0.01,
    broken: 0,
  });
}

export const stepsPerEpoch = 25;

/** A run that is told rather than trained. */
export class CraftedRun {
  readonly config: Readonly<Record<string, unknown>>;
  readonly #random = numbers(1);
  #best = -1;
  reporter!: RunReporter;

  constructor(
    readonly folder: string,
    readonly dataset: Dataset,
    readonly plan: { readonly epochs: number; readonly learningRate: number },
    /** Milliseconds after which a step writes the page. */
    readonly every?: number,
  ) {
    this.config = {
      model: 'refinedet-tiny-64',
      classes: dataset.classes,
      ...plan,
      optimizer: { kind: 'adamw', beta1: 0.9 },
    };
  }

  async begin(resumedAt?: { step: number; evaluationDue: boolean }): Promise<void> {
    this.reporter = await RunReporter.start(this.folder, {
      config: this.config,
      data: {
        classes: this.dataset.classes,
        parts: [partFigures('train', this.dataset), partFigures('val', this.dataset)],
      },
      environment: currentEnvironment('cpu', 1),
      resumedAt,
      every: this.every,
    });
    await this.tell({
      kind: 'start',
      parameters: 123456,
      trained: 120000,
      pictures: { train: 12, val: 12 },
      batchesPerEpoch: stepsPerEpoch,
      resumedAt: resumedAt?.step ?? 0,
    });
    if (resumedAt) return;
    const why = 'as many as fit into 3 minutes: 2.1 minutes of steps (1.3 s a step), evaluations, and a tenth to spare';
    await this.tell({
      kind: 'plan',
      choices: [
        { setting: 'model', value: 'refinedet-tiny-320', why },
        { setting: 'schedule', value: 'cosine', why },
      ],
    });
  }

  async tell(event: RecordedEvent): Promise<void> {
    await appendFile(join(this.folder, 'events.jsonl'), `${JSON.stringify(event)}\n`);
    await this.reporter.note(event);
  }

  async step(step: number): Promise<void> {
    const parts = { arm_cls: 30 / (step + 3) + this.#random(), odm_loc: 2 / Math.sqrt(step) };
    await this.tell({
      kind: 'step',
      epoch: Math.ceil(step / stepsPerEpoch),
      step,
      steps: this.plan.epochs * stepsPerEpoch,
      loss: parts.arm_cls + parts.odm_loc,
      losses: parts,
      gradientNorm: 5 + this.#random(),
      learningRate: this.plan.learningRate * Math.min(1, step / 10),
      picturesPerSecond: 20 + this.#random(),
      waiting: 0.01 * this.#random(),
    });
  }

  async evaluate(epoch: number, error: number): Promise<void> {
    const evaluator = new CocoEvaluator({ classes: this.dataset.classes });
    for (const image of this.dataset.images) {
      const detections = { boxes: [] as number[], labels: [] as number[], scores: [] as number[] };
      for (const { box, label } of image.objects) {
        if (this.#random() < error) continue; // missed
        const shift = 60 * error * this.#random();
        detections.boxes.push(box[0] + shift, box[1], box[2] + shift, box[3]);
        detections.labels.push(this.#random() < error ? (label + 1) % this.dataset.classes.length : label);
        detections.scores.push(0.4 + 0.6 * this.#random());
      }
      if (this.#random() < 2 * error) {
        detections.boxes.push(5, 5, 60, 50);
        detections.labels.push(0);
        detections.scores.push(this.#random());
      }
      evaluator.addPicture({ id: image.id, truth: truthOf(image), detections });
    }
    const tables = evaluator.tables();
    const { coco, perClass } = summarise(tables);
    const step = epoch * stepsPerEpoch;
    const best = coco.AP > this.#best;
    this.#best = Math.max(this.#best, coco.AP);
    if (best)
      await this.reporter.judged(() =>
        evaluationDetails(evaluator.data(), tables, this.dataset.images, { epoch, step }),
      );
    const peakMemory = (400 + 10 * epoch) * 2 ** 20;
    await this.tell({
      kind: 'evaluation',
      epoch,
      step,
      metrics: { ...coco },
      perClass,
      best,
      seconds: 1.5,
      peakMemory,
    });
  }
}
