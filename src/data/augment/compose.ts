// Pictures made of other pictures, before anything else is done to them. Boxes are in pixels of the picture.
import type { Picture } from '../picture.js';
import { type PixelRegion, resizeBytes } from '../resize.js';
import { objectsInside, type PictureObjects } from './objects.js';
import type { Random } from './random.js';

/** A decoded picture with its objects, boxes in its pixels. */
export interface LabelledPicture {
  readonly picture: Picture;
  readonly objects: PictureObjects;
}

/** Side of the squares in which a picture is turned. */
const TILE = 32;

/** The mosaic's middle lies within this share of width and height, and as much from the other side. */
const MARGIN = 0.25;

/**
 * Four pictures around a random point of a picture of the first one's size: each covers its corner with a random part of
 * its own ratio, as large as can be. Objects whose centre is in such a part are kept, cut to it.
 */
export function composeMosaic(four: readonly LabelledPicture[], random: Random): LabelledPicture {
  const { width, height } = four[0].picture;
  const x = Math.round(random.uniform(MARGIN, 1 - MARGIN) * width);
  const y = Math.round(random.uniform(MARGIN, 1 - MARGIN) * height);
  const data = new Uint8Array(width * height * 3);
  const places: PixelRegion[] = [
    { left: 0, top: 0, right: x, bottom: y },
    { left: x, top: 0, right: width, bottom: y },
    { left: 0, top: y, right: x, bottom: height },
    { left: x, top: y, right: width, bottom: height },
  ];
  const placed = four.map(({ picture, objects }, i) => {
    const place = places[i];
    const size = { width: place.right - place.left, height: place.bottom - place.top };
    if (size.width < 1 || size.height < 1) return { boxes: new Float64Array(0), labels: new Int32Array(0) };
    const part = drawPart(picture, size, random);
    const tile = new Uint8Array(size.width * size.height * 3);
    resizeBytes(picture.data, picture.width, part, size, tile);
    for (let row = 0; row < size.height; row++) {
      const from = row * size.width * 3;
      data.set(tile.subarray(from, from + size.width * 3), ((place.top + row) * width + place.left) * 3);
    }
    return moveInto(objectsInside(objects, part), part, place);
  });
  return { picture: { data, width, height }, objects: joinObjects(placed) };
}

/** The largest part of a picture with the ratio of `size`, somewhere. */
function drawPart(
  { width, height }: { readonly width: number; readonly height: number },
  size: { readonly width: number; readonly height: number },
  random: Random,
): PixelRegion {
  const scale = Math.max(size.width / width, size.height / height);
  const partWidth = Math.min(width, Math.max(1, Math.round(size.width / scale)));
  const partHeight = Math.min(height, Math.max(1, Math.round(size.height / scale)));
  const left = Math.floor(random.uniform(0, width - partWidth + 1));
  const top = Math.floor(random.uniform(0, height - partHeight + 1));
  return { left, top, right: left + partWidth, bottom: top + partHeight };
}

/** Objects in pixels of a part, in pixels of the picture that the part is drawn into. */
function moveInto({ boxes, labels }: PictureObjects, part: PixelRegion, place: PixelRegion): PictureObjects {
  const scaleX = (place.right - place.left) / (part.right - part.left);
  const scaleY = (place.bottom - place.top) / (part.bottom - part.top);
  const moved = boxes.map((side, i) => (i % 2 === 0 ? place.left + side * scaleX : place.top + side * scaleY));
  return { boxes: moved, labels };
}

/** All objects of several pictures that became one. */
export function joinObjects(several: readonly PictureObjects[]): PictureObjects {
  return {
    boxes: Float64Array.from(several.flatMap(({ boxes }) => [...boxes])),
    labels: Int32Array.from(several.flatMap(({ labels }) => [...labels])),
  };
}

/** A picture turned clockwise by quarters, with its boxes. */
export function rotateQuarters({ picture, objects }: LabelledPicture, quarters: number): LabelledPicture {
  if (quarters === 0) return { picture, objects };
  const { width, height } = picture;
  const turned = quarters % 2 === 1;
  const [newWidth, newHeight] = turned ? [height, width] : [width, height];
  // Where the first pixel goes, and how far apart neighbours of a row and of a column come to lie.
  const [start, alongRow, alongColumn] = {
    1: [height - 1, newWidth, -1],
    2: [width * height - 1, -1, -newWidth],
    3: [(width - 1) * newWidth, -newWidth, 1],
  }[quarters as 1 | 2 | 3];
  const data = new Uint8Array(picture.data.length);
  // Tile by tile: a column that becomes a row is far apart in memory, so its neighbours should be used while they are near.
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      const [bottom, right] = [Math.min(top + TILE, height), Math.min(left + TILE, width)];
      for (let y = top; y < bottom; y++) {
        let from = (y * width + left) * 3;
        let to = (start + y * alongColumn + left * alongRow) * 3;
        for (let x = left; x < right; x++, from += 3, to += alongRow * 3) {
          data[to] = picture.data[from];
          data[to + 1] = picture.data[from + 1];
          data[to + 2] = picture.data[from + 2];
        }
      }
    }
  }
  const boxes = new Float64Array(objects.boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    const [x1, y1, x2, y2] = objects.boxes.subarray(i, i + 4);
    const box = {
      1: [height - y2, x1, height - y1, x2],
      2: [width - x2, height - y2, width - x1, height - y1],
      3: [y1, width - x2, y2, width - x1],
    }[quarters as 1 | 2 | 3];
    boxes.set(box, i);
  }
  return { picture: { data, width: newWidth, height: newHeight }, objects: { boxes, labels: objects.labels } };
}

/** Mixes `other` into `pixels` in place: `share` of what was there remains. */
export function mixPixels(pixels: Uint8ClampedArray, other: Uint8ClampedArray, share: number): void {
  const rest = 1 - share;
  for (let i = 0; i < pixels.length; i++) pixels[i] = pixels[i] * share + other[i] * rest;
}
