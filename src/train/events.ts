import type { RecordedEnd, RecordedEvaluation, RecordedPlan, RecordedStep } from '../report/run/run-record.js';
import type { TrainConfig } from './config.js';

/** What happens in a run, in order. `events.jsonl` holds the same objects, a line each. */
export type TrainEvent =
  | {
      readonly kind: 'start';
      readonly run: string;
      readonly config: TrainConfig;
      readonly parameters: number;
      readonly trained: number;
      readonly pictures: { readonly train: number; readonly val: number };
      readonly batchesPerEpoch: number;
      /** Step that a resumed run goes on from. */
      readonly resumedAt: number;
      /** How the data set was recognised, in words. */
      readonly dataNote?: string;
      /** What to think about, from the data; nothing in a run that goes on. */
      readonly advice: readonly string[];
      /** What came from `--weights`, in words. */
      readonly weightsNote?: string;
    }
  /** What was chosen for a new run, before its first step. */
  | ({ readonly kind: 'plan' } & RecordedPlan)
  | { readonly kind: 'warning'; readonly message: string }
  | ({ readonly kind: 'step'; readonly secondsLeft: number } & RecordedStep)
  /** If it is the best so far, `best.safetensors` was written. */
  | ({ readonly kind: 'evaluation'; readonly peakMemory: number } & RecordedEvaluation)
  | { readonly kind: 'checkpoint'; readonly path: string; readonly step: number }
  | ({
      readonly kind: 'end';
      readonly run: string;
      readonly best?: Readonly<Record<string, number>>;
    } & RecordedEnd);
