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
      readonly data?: string;
      /** What to think about, from the data; nothing in a run that goes on. */
      readonly advice: readonly string[];
      /** What came from `--weights`, in words. */
      readonly weights?: string;
    }
  | { readonly kind: 'warning'; readonly message: string }
  | {
      readonly kind: 'step';
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
      readonly secondsLeft: number;
    }
  | {
      readonly kind: 'evaluation';
      readonly epoch: number;
      readonly step: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly perClass: Readonly<Record<string, { readonly AP: number; readonly AP50: number }>>;
      /** Whether it is the best so far; then `best.safetensors` was written. */
      readonly best: boolean;
      readonly seconds: number;
      /** Most memory that the process had so far, in bytes. */
      readonly peakMemory: number;
    }
  | { readonly kind: 'checkpoint'; readonly path: string; readonly step: number }
  | {
      readonly kind: 'end';
      readonly reason: 'completed' | 'stopped';
      readonly run: string;
      readonly step: number;
      readonly seconds: number;
      readonly waiting: number;
      /** Pictures that could not be decoded. */
      readonly broken: number;
      readonly best?: Readonly<Record<string, number>>;
    };
