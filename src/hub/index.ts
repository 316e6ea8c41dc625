/**
 * `boxwright/hub`: published weights by name: what there is, and their download with a checked sha256, resumed after a
 * break.
 *
 * @packageDocumentation
 */
export { cacheFolder } from './cache.js';
export type { Card, CardAsset } from './card.js';
export { cards } from './cards.js';
export type { PullProgress } from './progress.js';
export { type Pulled, type PullOptions, pull } from './pull.js';
export { readCard } from './read-card.js';
