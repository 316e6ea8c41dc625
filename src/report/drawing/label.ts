import { classColour, readableOn } from '../page/colours.js';
import { canStroke, capitalHeight, strokedText, strokedWidth } from './stroke-font.js';

/** What a label needs of its box; see `DrawnBox`. */
interface LabelledBox {
  readonly box: readonly number[];
  readonly label: string;
  readonly labelIndex: number;
  readonly score?: number;
}

/** Where a label's plate lies, in pixels. */
export interface Plate {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Room around the text, in units of the font's grid. */
const padding = 1.6;

/**
 * A box's name and score on a plate of its colour, never cut off by the picture's edge: above the box, or inside or below
 * it where that covers less of the plates that are `placed` already. The new plate is added to them.
 */
export function labelSvg(labelled: LabelledBox, width: number, height: number, placed: Plate[]): string {
  const { label, labelIndex, score } = labelled;
  const text = score === undefined ? label : `${label} ${score.toFixed(2)}`;
  const stroked = canStroke(text);
  const units = (stroked ? strokedWidth(text) : fontWidth(text)) + 2 * padding;
  // Capitals of 1/42 of the picture's height can be read at any size; a long name is made to fit the picture.
  const wanted = Math.min(Math.max(Math.min(width, height) / 42, 7), 60) / capitalHeight;
  const unit = Math.min(wanted, width / units, height / (capitalHeight + 4));
  const plate = placePlate(labelled.box, units * unit, (capitalHeight + 4) * unit, width, height, placed);
  placed.push(plate);
  const colour = classColour(labelIndex);
  const ink = readableOn(colour);
  const back = `<rect ${attributes({ ...plate })} fill="${colour}"/>`;
  const left = plate.x + padding * unit;
  if (!stroked) return back + fontSvg(text, left, plate.y + (capitalHeight + padding) * unit, unit, ink);
  const path = strokedText(text, left, plate.y + padding * unit, unit);
  return `${back}<path d="${path}" fill="none" stroke="${ink}" stroke-width="${(1.05 * unit).toFixed(2)}" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** Numbers as SVG attributes, to a hundredth of a pixel. */
export function attributes(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${value.toFixed(2)}"`)
    .join(' ');
}

/** The first of the places above, inside and below the box that covers the least of other plates. */
function placePlate(
  [x1, y1, x2, y2]: readonly number[],
  width: number,
  height: number,
  pictureWidth: number,
  pictureHeight: number,
  placed: readonly Plate[],
): Plate {
  const places = [
    [x1, y1 - height],
    [x1, y1],
    [x1, y2],
    [x1, y2 - height],
    [x2 - width, y1 - height],
    [x2 - width, y2],
  ];
  let best: Plate | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [left, top] of places) {
    const x = clamp(left, 0, pictureWidth - width);
    const y = clamp(top, 0, pictureHeight - height);
    const plate = { x, y, width, height };
    const covered = placed.reduce((sum, other) => sum + sharedArea(plate, other), 0);
    if (covered >= least) continue;
    least = covered;
    best = plate;
  }
  return best!;
}

function sharedArea(a: Plate, b: Plate): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}

/** Characters beyond our strokes are left to the machine's fonts. */
function fontSvg(text: string, x: number, baseline: number, unit: number, ink: string): string {
  // A font's capitals are about 0.72 of its size.
  const size = (capitalHeight / 0.72) * unit;
  return `<text x="${x.toFixed(2)}" y="${baseline.toFixed(2)}" font-family="sans-serif" font-size="${size.toFixed(2)}" fill="${ink}">${escaped(text)}</text>`;
}

/** About the width of a text in a sans-serif font: ideographs and the like are as wide as high. */
function fontWidth(text: string): number {
  const size = capitalHeight / 0.72;
  return Array.from(text).reduce((sum, character) => sum + (character.codePointAt(0)! >= 0x1100 ? 1 : 0.64) * size, 0);
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // What XML cannot hold, even escaped, becomes the replacement character.
  const possible = text.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD');
  return possible.replace(/[&<>"]/g, (character) => entities[character]);
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
