import { BoxwrightError } from '../errors.js';
import {
  and,
  argMax,
  cast,
  equal,
  greater,
  greaterOrEqual,
  not,
  or,
  range,
  reduceMax,
  reshape,
  sub,
  type Value,
  where,
} from '../graph/index.js';
import type { BestAnchorRule, Matcher } from './matcher.js';

export interface GraphMatches {
  /** int64 [batch, n]: the box of each anchor; meaningless where `positive` is false. */
  readonly box: Value;
  /** bool [batch, n] */
  readonly positive: Value;
  /** float32 [batch, n]: the best overlap with any box; −1 where there is none. */
  readonly overlap: Value;
}

/**
 * Rounds in which boxes that lost a shared best anchor look for another one. Greedy bipartite matching of overlaps is
 * the stable matching that proposals reach; more than three boxes in a chain for one anchor do not occur in practice.
 */
const bipartiteRounds = 4;

/**
 * Graph form of `matchAnchors`, for anchors that depend on the network's output.
 *
 * @param overlaps IoU [batch, n, k]
 * @param valid bool [batch, 1, k]: false for padding
 */
export function matchAnchorsGraph(overlaps: Value, valid: Value, matcher: Matcher): GraphMatches {
  if (matcher.negative !== undefined || matcher.best?.ties === 'all') {
    throw new BoxwrightError('config', 'The graph form of the matcher has neither ignored anchors nor shared ties.');
  }
  const known = where(valid, overlaps, -1);
  const overlap = reduceMax(known, [2]);
  const box = argMax(known, 2);
  const reached = (matcher.strict ? greater : greaterOrEqual)(overlap, matcher.positive);
  if (!matcher.best) return { box, positive: reached, overlap };
  const given = matcher.best.shared === 'bipartite' ? bipartite(known, matcher.best) : bestOf(known, matcher.best);
  const forced = forcedBox(given, matcher.best);
  const isForced = greaterOrEqual(forced, 0);
  return { box: where(isForced, forced, box), positive: or(reached, isForced), overlap };
}

/** bool [batch, n, k]: whether the anchor is the box's best one. */
function bestOf(known: Value, rule: BestAnchorRule): Value {
  const best = argMax(known, 1, { keepDims: true });
  const enough = greaterOrEqual(reduceMax(known, [1], { keepDims: true }), Math.max(rule.minimum, 0));
  const [, count] = known.staticShape;
  return and(equal(reshape(range(count), [1, count, 1]), best), enough);
}

/** Deferred acceptance: each box proposes to its best anchor that has not refused it; an anchor keeps the best box. */
function bipartite(known: Value, rule: BestAnchorRule): Value {
  let open = known;
  let kept = bestOf(open, rule);
  for (let round = 0; round < bipartiteRounds; round++) {
    const proposed = where(kept, open, -1);
    const winner = argMax(proposed, 2, { keepDims: true });
    const [, , boxes] = known.staticShape;
    const isWinner = equal(reshape(range(boxes), [1, 1, boxes]), winner);
    const accepted = and(kept, isWinner);
    if (round === bipartiteRounds - 1) return accepted;
    open = where(and(kept, not(isWinner)), -1, open);
    kept = bestOf(open, rule);
  }
  return kept;
}

/** int64 [batch, n]: the box that the anchor was given to, the first or last of several, or −1. */
function forcedBox(given: Value, rule: BestAnchorRule): Value {
  const [, , boxes] = given.staticShape;
  const numbers = reshape(range(boxes, 'float32'), [1, 1, boxes]);
  const rank = rule.shared === 'first' ? sub(boxes - 1, numbers) : numbers;
  const highest = reduceMax(where(given, rank, -1), [2]);
  const index = rule.shared === 'first' ? where(greaterOrEqual(highest, 0), sub(boxes - 1, highest), -1) : highest;
  return cast(index, 'int64');
}
