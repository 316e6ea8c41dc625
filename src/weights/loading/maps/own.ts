import type { NameMap } from './name-map.js';

/**
 * Our own checkpoints, and files that `boxwright export` wrote. A run keeps the moving averages of its weights beside
 * them, which are what it is judged by.
 */
export const ownNames: NameMap = {
  source: 'boxwright',
  rules: [{ parameter: /^(.+)$/, name: (name) => name }],
  preferred: (name) => `average:${name}`,
  // State of the optimizer.
  unused: /:|^step_count$/,
};
