/** A learning-rate schedule as plain data. Steps are updates, counted from 0; lengths are in steps. */
export interface Schedule {
  readonly base: number;
  /** Linear from `start`·base to base over `steps`. */
  readonly warmup?: { readonly steps: number; readonly start: number };
  readonly decay:
    | { readonly kind: 'constant' }
    /** Times `factor` at each milestone. */
    | { readonly kind: 'step'; readonly milestones: readonly number[]; readonly factor: number }
    /** Half a cosine from base (after the warm-up) to base·end over the rest of `total` steps (Loshchilov & Hutter 2017, equation 5). */
    | { readonly kind: 'cosine'; readonly total: number; readonly end: number };
}

/** The learning rate of a step, which counts from 0. */
export function learningRate({ base, warmup, decay }: Schedule, step: number): number {
  if (warmup && step < warmup.steps) return base * (warmup.start + ((1 - warmup.start) * step) / warmup.steps);
  if (decay.kind === 'step')
    return base * decay.factor ** decay.milestones.filter((milestone) => step >= milestone).length;
  if (decay.kind === 'constant') return base;
  const from = warmup?.steps ?? 0;
  const progress = Math.min(1, (step - from) / Math.max(1, decay.total - from));
  return base * (decay.end + (1 - decay.end) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
