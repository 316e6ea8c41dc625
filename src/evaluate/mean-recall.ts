import type { DetectionMatches } from './detection-matches.js';

/** Part of the objects in a range that are found: mean over the classes with some, `[thresholds]`, and their mean. -1: none. */
export function meanRecalls(matches: DetectionMatches, range: number): { byThreshold: number[]; mean: number } {
  const byThreshold = matches.iouThresholds.map((_, t) => meanRecallAt(matches, range, 1 << t));
  return { byThreshold, mean: byThreshold.reduce((sum, recall) => sum + recall, 0) / byThreshold.length };
}

function meanRecallAt({ byClass }: DetectionMatches, range: number, bit: number): number {
  let sum = 0;
  let classes = 0;
  for (const { length, ranges, positives, matched, ignored } of byClass) {
    if (positives[range] === 0) continue;
    let found = 0;
    for (let at = range; at < length * ranges; at += ranges) if (matched[at] & ~ignored[at] & bit) found++;
    sum += found / positives[range];
    classes++;
  }
  return classes > 0 ? sum / classes : -1;
}
