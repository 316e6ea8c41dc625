import { add, openEnd, slice, upsample, type Value } from '../../graph/index.js';
import { type Initializer, xavierUniform } from '../../nn/initializers.js';
import { conv } from '../../nn/layers.js';
import type { Parameters } from '../../nn/parameters.js';

/** A feature pyramid (Lin et al. 2017, section 3) as plain data. */
export interface FpnRecipe {
  readonly channels: number;
  readonly initial?: Initializer;
}

/**
 * P2 … P6 from C2 … C5 [N, C, H, W], whose sides halve from map to map. P6 is every second pixel of P5. Parameters are
 * `fpn.lateral.<level>` and `fpn.output.<level>`, level 0 being P2.
 */
export function featurePyramid(
  p: Parameters,
  { channels, initial = xavierUniform }: FpnRecipe,
  stages: readonly Value[],
): Value[] {
  const laterals = stages.map((stage, level) =>
    conv(p, `fpn.lateral.${level}`, stage, { out: channels, kernel: 1, initial }),
  );
  const sums: Value[] = [];
  for (let level = laterals.length - 1; level >= 0; level--) {
    const above = sums[level + 1];
    sums[level] = above ? add(laterals[level], upsample(above, 2, { mode: 'nearest' })) : laterals[level];
  }
  const maps = sums.map((sum, level) =>
    conv(p, `fpn.output.${level}`, sum, { out: channels, kernel: 3, padding: 1, initial }),
  );
  const top = slice(maps[maps.length - 1], [0, 0], [openEnd, openEnd], [2, 3], [2, 2]);
  return [...maps, top];
}
