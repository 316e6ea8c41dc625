import type { CocoResult } from '../../evaluate/coco/coco.js';
import { StepSeries } from './step-series.js';

/** What reports read of a run's events; a line of `events.jsonl` has more. Older runs may lack some. */
export type RecordedEvent =
  | {
      readonly kind: 'start';
      readonly parameters: number;
      readonly trained: number;
      readonly pictures: { readonly train: number; readonly val: number };
      readonly batchesPerEpoch: number;
      readonly resumedAt: number;
      readonly weightsNote?: string;
    }
  | ({ readonly kind: 'plan' } & RecordedPlan)
  | { readonly kind: 'warning'; readonly message: string }
  | ({ readonly kind: 'step' } & RecordedStep)
  | ({ readonly kind: 'evaluation' } & RecordedEvaluation)
  | { readonly kind: 'checkpoint' }
  | ({ readonly kind: 'end' } & RecordedEnd);

/** Settings that were not given, what was chosen for them, and why. */
export interface RecordedPlan {
  readonly choices: readonly { readonly setting: string; readonly value: string; readonly why: string }[];
}

export interface RecordedStep {
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly losses: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly picturesPerSecond: number;
  /** Part of the time that steps waited for pictures, 0 to 1. */
  readonly waiting: number;
}

export interface RecordedEvaluation {
  readonly epoch: number;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly perClass: CocoResult['perClass'];
  /** Whether it is the best so far. */
  readonly best: boolean;
  readonly seconds: number;
  /** Most memory that the process had until then, in bytes. */
  readonly peakMemory?: number;
}

export interface RecordedEnd {
  readonly reason: 'completed' | 'stopped';
  readonly step: number;
  readonly seconds: number;
  readonly waiting: number;
  /** Pictures that could not be decoded. */
  readonly broken: number;
}

/** Warnings that are kept; the others are counted. */
const mostWarnings = 50;

/** What happened in a run, in bounded memory however long it is. */
export class RunRecord {
  start: Extract<RecordedEvent, { kind: 'start' }> | undefined;
  plan: RecordedPlan | undefined;
  /** The last one. */
  step: RecordedStep | undefined;
  readonly evaluations: RecordedEvaluation[] = [];
  readonly steps = new StepSeries();
  readonly warnings: string[] = [];
  warningCount = 0;
  /** How often the run went on after a break. */
  resumed = 0;
  end: RecordedEnd | undefined;

  add(event: RecordedEvent): void {
    switch (event.kind) {
      case 'start':
        if (event.resumedAt > 0) this.resumed++;
        this.start = event;
        this.end = undefined;
        return;
      case 'plan':
        this.plan = event;
        return;
      case 'warning':
        if (this.warningCount++ < mostWarnings) this.warnings.push(event.message);
        return;
      case 'step':
        this.step = event;
        this.steps.add(event.step, stepFigures(event));
        return;
      case 'evaluation':
        this.evaluations.push(event);
        return;
      case 'end':
        this.end = event;
        return;
    }
  }

  get best(): RecordedEvaluation | undefined {
    return this.evaluations.findLast(({ best }) => best);
  }
}

/** A step's figures by the names that charts, tables and TensorBoard use. */
export function stepFigures(step: RecordedStep): Record<string, number> {
  const parts = Object.entries(step.losses).map(([name, value]) => [`loss/${name}`, value] as const);
  return {
    loss: step.loss,
    ...Object.fromEntries(parts),
    gradient_norm: step.gradientNorm,
    learning_rate: step.learningRate,
    pictures_per_second: step.picturesPerSecond,
    waiting: step.waiting,
  };
}
