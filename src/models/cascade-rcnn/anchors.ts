// Anchors are in pixels of the canvas here.

/** The anchors of a feature pyramid as plain data: one scale, three ratios, at every cell of every level. */
export interface PyramidAnchorRecipe {
  /** Pixels from one cell to the next, a level each. */
  readonly strides: readonly number[];
  /** Side of the square anchor, in strides. */
  readonly scale: number;
  /** Height over width. */
  readonly ratios: readonly number[];
  /** Where a cell's anchors stand: centred on its upper left corner, or as the MindSpore zoo rounds them. */
  readonly base: 'corner' | 'zoo';
}
