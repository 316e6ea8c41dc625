import type { Value } from '../../graph/index.js';

/** Feature maps by depth: strides 8, 16, 32 and 64 of the picture. */
export type Sources = readonly [Value, Value, Value, Value];
