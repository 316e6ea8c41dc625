// Boxes and anchors are in pixels of the canvas here.
import type { BoxCoder } from '../../boxes/coder.js';
import type { Matcher } from '../../boxes/matcher.js';
import type { PyramidAnchorRecipe } from './anchors.js';

/** How a picture's boxes become the RPN's targets. Plain data: it travels to worker threads. */
export interface RpnTargetSpec {
  readonly kind: 'rpn';
  readonly anchors: PyramidAnchorRecipe;
  readonly matcher: Matcher;
  readonly coder: BoxCoder;
  /** Only anchors inside the picture learn: x2 < width (published), or x2 ≤ width − 1 (zoo); y alike, and x1, y1 ≥ 0. */
  readonly inside: 'below-side' | 'last-pixel';
  /** Anchors of a picture that learn, and at most how many of them positive. */
  readonly samples: number;
  readonly positives: number;
}
