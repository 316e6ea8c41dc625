/** How a picture comes to the network's size. Plain data. */
export type ResizeRule = StretchRule | KeepRatioRule;

/** Every picture becomes a square; its ratio is not kept. */
export interface StretchRule {
  readonly kind: 'stretch';
  /** Side of the square in pixels. */
  readonly size: number;
}

/**
 * Pictures keep their ratio: scaled by min(long / longer side, short / shorter side), each side rounded to
 * floor(side · scale + 0.5), and put into the upper left corner of a canvas whose rest is zero.
 */
export interface KeepRatioRule {
  readonly kind: 'keep-ratio';
  /** Most pixels of the longer side and of the shorter one. */
  readonly long: number;
  readonly short: number;
  /** A canvas' sides are multiples of this. */
  readonly multiple: number;
  /**
   * One canvas for all pictures (MindSpore zoo). A picture that is then still too high is resized a second time, by
   * height / longer side.
   */
  readonly fixed?: CanvasSize;
}

/** Size of a network's input in pixels, a picture's place and what is padded around it. */
export interface CanvasSize {
  readonly height: number;
  readonly width: number;
}
