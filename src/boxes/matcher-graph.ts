import { BoxwrightError } from '../errors.js';
import {
  add,
  and,
  argMax,
  cast,
  equal,
  filled,
  gatherElements,
  greater,
  greaterOrEqual,
  less,
  or,
  range,
  reduceMax,
  reshape,
  sub,
  topK,
  transpose,
  type Value,
  where,
} from '../graph/index.js';
import type { BestAnchorRule, Matcher } from './matcher.js';

export interface GraphMatches {
  /** int64 [batch, n]: the box of each anchor; meaningless where `positive` is false. */
  readonly box: Value;
  /** bool [batch, n] */
  readonly positive: Value;
  /** float32 [batch, n]: the best overlap with any box; −1 where there is none that counts. */
  readonly overlap: Value;
}

/**
 * Rounds in which boxes that lost a shared best anchor propose to their next one. A box needs as many as it loses, which
 * is fewer than there are boxes; one that loses more often than this, in a crowd of near-duplicates, gets no anchor
 * beside those above the threshold.
 */
const bipartiteRounds = 32;

/**
 * Graph form of `matchAnchors`, for anchors that depend on the network's output.
 *
 * @param overlaps IoU [batch, n, k]
 * @param valid bool [batch, 1, k] or [batch, n, k]: which pairs count; false for padding
 * @throws BoxwrightError `config` for a matcher that ignores anchors between two thresholds.
 */
export function matchAnchorsGraph(overlaps: Value, valid: Value, matcher: Matcher): GraphMatches {
  if (matcher.negative !== undefined) {
    throw new BoxwrightError('config', 'The graph form of the matcher has no ignored anchors: leave out `negative`.');
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

/** bool [batch, n, k]: whether the anchor is the box's best one, or one of its best. */
function bestOf(known: Value, rule: BestAnchorRule): Value {
  const most = reduceMax(known, [1], { keepDims: true });
  const enough = greaterOrEqual(most, Math.max(rule.minimum, 0));
  if (rule.ties === 'all') return and(equal(known, most), enough);
  const [, count] = known.staticShape;
  return and(equal(reshape(range(count), [1, count, 1]), argMax(known, 1, { keepDims: true })), enough);
}

/**
 * Greedy bipartite matching as deferred acceptance, which reaches the same pairs, since both sides rank a pair by its
 * overlap: each box proposes to its best anchor that has not refused it; an anchor refuses all but the best.
 */
function bipartite(known: Value, rule: BestAnchorRule): Value {
  const [batch, anchors, boxes] = known.staticShape;
  const { values, indices } = topK(known, Math.min(boxes, anchors), 1);
  const rounds = Math.min(boxes, anchors, bipartiteRounds);
  const number = (shape: readonly number[]) => reshape(range(boxes), shape);
  const earlier = less(number([1, boxes, 1]), number([1, 1, boxes]));
  let place = filled(0, 'int64', [batch, 1, boxes]);
  for (let round = 1; ; round++) {
    const anchor = gatherElements(indices, place, 1);
    const overlap = gatherElements(values, place, 1);
    const eligible = greaterOrEqual(overlap, Math.max(rule.minimum, 0));
    const [rivalAnchor, rivalOverlap] = [anchor, overlap].map((row) => transpose(row, [0, 2, 1]));
    const better = or(greater(rivalOverlap, overlap), and(equal(rivalOverlap, overlap), earlier));
    const rivals = and(and(equal(rivalAnchor, anchor), better), transpose(eligible, [0, 2, 1]));
    const refused = reduceMax(cast(rivals, 'float32'), [1], { keepDims: true });
    if (round === rounds) {
      const accepted = and(eligible, less(refused, 1));
      return and(equal(reshape(range(anchors), [1, anchors, 1]), anchor), accepted);
    }
    place = add(place, cast(refused, 'int64'));
  }
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
