import type { Frame } from '../../models/canvas.js';
import type { PixelRegion } from '../resize.js';

/** The labelled boxes of a picture: `boxes` [n, 4] as x1, y1, x2, y2 and `labels` [n]. */
export interface PictureObjects {
  readonly boxes: Float64Array;
  readonly labels: Int32Array;
}

/** The objects whose centre is strictly inside a region, cut to it and relative to its corner; all in pixels. */
export function objectsInside({ boxes, labels }: PictureObjects, region: PixelRegion): PictureObjects {
  const kept: number[] = [];
  for (let i = 0; i < labels.length; i++) if (isCentreInside(boxes, i, region)) kept.push(i);
  const { left, top, right, bottom } = region;
  const cut = new Float64Array(kept.length * 4);
  kept.forEach((from, to) => {
    cut[to * 4] = Math.max(boxes[from * 4], left) - left;
    cut[to * 4 + 1] = Math.max(boxes[from * 4 + 1], top) - top;
    cut[to * 4 + 2] = Math.min(boxes[from * 4 + 2], right) - left;
    cut[to * 4 + 3] = Math.min(boxes[from * 4 + 3], bottom) - top;
  });
  return { boxes: cut, labels: Int32Array.from(kept, (i) => labels[i]) };
}

/** True if the centre of box i is strictly inside the region. */
export function isCentreInside(boxes: Float64Array, i: number, { left, top, right, bottom }: PixelRegion): boolean {
  const x = (boxes[i * 4] + boxes[i * 4 + 2]) / 2;
  const y = (boxes[i * 4 + 1] + boxes[i * 4 + 3]) / 2;
  return left < x && top < y && x < right && y < bottom;
}

/** The objects moved by whole pixels. */
export function moveObjects({ boxes, labels }: PictureObjects, right: number, down: number): PictureObjects {
  return { boxes: boxes.map((value, i) => value + (i % 2 === 0 ? right : down)), labels };
}

/** Boxes divided by width and height into 0..1, mirrored left and right first if asked. */
export function normaliseObjects(
  objects: PictureObjects,
  width: number,
  height: number,
  flip: boolean,
): PictureObjects {
  const { boxes, labels } = objects;
  const normalised = new Float64Array(boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    normalised[i] = (flip ? width - boxes[i + 2] : boxes[i]) / width;
    normalised[i + 1] = boxes[i + 1] / height;
    normalised[i + 2] = (flip ? width - boxes[i] : boxes[i + 2]) / width;
    normalised[i + 3] = boxes[i + 3] / height;
  }
  return { boxes: normalised, labels };
}

/** Boxes cut down to whole pixels, each coordinate towards zero. */
export function truncateObjects({ boxes, labels }: PictureObjects): PictureObjects {
  return { boxes: boxes.map(Math.trunc), labels };
}

/** How boxes in pixels of a picture become boxes in pixels of its canvas. */
export interface ObjectsOnCanvas {
  /** The picture's place in the upper left corner. */
  readonly frame: Frame;
  /** Width within which x is mirrored, if it is. */
  readonly mirrorWidth: number | undefined;
  /** The last pixel is inside a box instead of its far edge, see `AugmentationRecipe.pixelBoxes`. */
  readonly pixelBoxes: boolean;
}

/**
 * Boxes scaled into pixels of the canvas, cut to the frame, and mirrored left and right if asked: in float32 as
 * mmdetection does it, in float64 where boxes count pixels, as the zoo does.
 */
export function scaleObjects(
  { boxes, labels }: PictureObjects,
  { frame, mirrorWidth, pixelBoxes }: ObjectsOnCanvas,
): PictureObjects {
  const inset = pixelBoxes ? 1 : 0;
  const rounded = pixelBoxes ? (value: number) => value : Math.fround;
  const [scaleX, scaleY] = [rounded(frame.scaleX), rounded(frame.scaleY)];
  const placed = boxes.map((value, i) => {
    const [scale, side] = i % 2 === 0 ? [scaleX, frame.width] : [scaleY, frame.height];
    return Math.min(Math.max(rounded(rounded(value) * scale), 0), side - inset);
  });
  if (mirrorWidth === undefined) return { boxes: placed, labels };
  // A box's left edge comes from its right one.
  const mirrored = placed.map((value, i) => (i % 2 === 0 ? rounded(mirrorWidth - placed[i ^ 2] - inset) : value));
  return { boxes: mirrored, labels };
}
