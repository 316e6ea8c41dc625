// Anchors are normalised here: x over the picture's width, y over its height, 0 to 1.
import { type AnchorLevel, gridAnchors, toCorners } from '../../boxes/anchors.js';
import { boxAreas } from '../../boxes/iou.js';
import { BoxwrightError } from '../../errors.js';

/** RefineDet's default anchors as plain data. */
export interface AnchorRecipe {
  /** Side of the square input in pixels. */
  readonly size: number;
  readonly levels: readonly AnchorRecipeLevel[];
  /** Whether cx, cy, w and h are each cut to 0..1. The corners follow the cut values. */
  readonly clip: boolean;
}

export interface AnchorRecipeLevel {
  /** Pixels from one cell to the next; it has to divide the recipe's size. */
  readonly stride: number;
  /** [w, h] of each anchor of a cell, as parts of the picture. */
  readonly shapes: readonly (readonly [number, number])[];
}

/** Anchors in both forms, rounded to float32 once each. */
export interface Anchors {
  readonly count: number;
  /** [anchors, 4] cx, cy, w, h */
  readonly centres: Float32Array;
  /** [anchors, 4] x1, y1, x2, y2 */
  readonly corners: Float32Array;
  /** [anchors] areas, from the float32 corners */
  readonly areas: Float32Array;
}

const strides = [8, 16, 32, 64] as const;

/**
 * The published anchors (RefineDet, section 3.3): side 4 × stride, ratios w/h 1, 2, 1/2 at each of four levels.
 *
 * @param size 320 or 512, or another multiple of 64
 * @param clip Caffe does not clip; the PyTorch reference does, which at 320 cuts the long sides of the last level to 1.
 */
export function paperAnchors(size: number, clip = false): AnchorRecipe {
  const levels = strides.map((stride) => ({ stride, shapes: threeShapes((4 * stride) / size) }));
  return { size, levels, clip };
}

/**
 * The anchors of the MindSpore zoo (`research/cv/RefineDet`, r1.7): scales 0.2 to 0.95 in equal steps over the levels,
 * whatever the size; the first level's square has side 0.1 instead.
 *
 * @param size 320 or 512, or another multiple of 64
 */
export function zooAnchors(size: number): AnchorRecipe {
  const step = (0.95 - 0.2) / (strides.length - 1);
  const levels = strides.map((stride, level) => {
    const [square, wide, tall] = threeShapes(0.2 + step * level);
    return { stride, shapes: [level === 0 ? ([0.1, 0.1] as const) : square, wide, tall] };
  });
  return { size, levels, clip: false };
}

/**
 * The anchors of a recipe in the order level, row, column, shape. 6375 at 320 and 16320 at 512 for both families.
 *
 * @throws BoxwrightError `config` if a stride does not divide the size.
 */
export function defaultAnchors(recipe: AnchorRecipe): Anchors {
  const { size } = recipe;
  const centres = gridAnchors(recipe.levels.map((level) => pixelLevel(level, size)));
  for (let i = 0; i < centres.length; i++) {
    // Sides stay as the recipe gives them: only centres are in pixels.
    const value = i % 4 < 2 ? centres[i] / size : centres[i];
    centres[i] = recipe.clip ? Math.min(Math.max(value, 0), 1) : value;
  }
  return bothForms(new Float32Array(centres), toCorners(centres));
}

/** Anchors from boxes, in the same unit as the boxes: what the ARM's offsets make of the default ones. */
export function bothForms(centres: Float32Array, corners: Float32Array): Anchors {
  return { count: corners.length / 4, centres, corners, areas: boxAreas(corners) };
}

function threeShapes(side: number): (readonly [number, number])[] {
  const long = side * Math.sqrt(2);
  const short = side / Math.sqrt(2);
  return [
    [side, side],
    [long, short],
    [short, long],
  ];
}

function pixelLevel({ stride, shapes }: AnchorRecipeLevel, size: number): AnchorLevel {
  const cells = size / stride;
  if (!Number.isInteger(cells)) {
    throw new BoxwrightError('config', `Anchors of stride ${stride} at size ${size}: use a multiple of ${stride}`);
  }
  return {
    rows: cells,
    columns: cells,
    stride,
    shapes: shapes.map(([width, height]) => [stride / 2, stride / 2, width, height] as const),
  };
}
