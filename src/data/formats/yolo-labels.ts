// Boxes are in shares of the picture's width and height here.
import type { ReadObject } from '../assemble.js';
import { type Findings, refuse } from '../ground-truth.js';

/**
 * The objects of one YOLO label file: a line each, `class cx cy width height` in shares of the picture, or
 * `class x1 y1 x2 y2 x3 y3 …` for a polygon, of which the surrounding box is taken.
 */
export function parseYoloLabels(
  text: string,
  file: string,
  classes: readonly string[],
  findings: Findings,
): ReadObject[] {
  const objects: ReadObject[] = [];
  text.split(/\r?\n/).forEach((content, i) => {
    const words = content.trim().split(/\s+/);
    if (words[0] === '') return;
    const place = { file, line: i + 1 };
    const numbers = words.map((word) => Number(word));
    const [index, ...shares] = numbers;
    if (words.length < 5 || (words.length > 5 && (words.length < 7 || words.length % 2 === 0))) {
      const what = `${words.length} values, but 'class cx cy width height' (or a polygon's 'class x1 y1 x2 y2 x3 y3 …') is needed`;
      const advice = words.length === 6 ? 'a sixth value is a score: these are detections' : 'correct the line';
      refuse(findings, 'unusable', place, what, advice);
      return;
    }
    const className = Number.isInteger(index) ? classes[index] : undefined;
    if (className === undefined) {
      const what = `class ${words[0]} is not among the ${classes.length} classes (0 to ${classes.length - 1})`;
      refuse(findings, 'unknown class', place, what, 'correct the line or add the class');
      return;
    }
    const edges = words.length === 5 ? fromCentre(shares) : surrounding(shares);
    objects.push({ className, edges, written: numbers, line: i + 1 });
  });
  return objects;
}

function fromCentre([cx, cy, width, height]: readonly number[]): number[] {
  return [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
}

function surrounding(points: readonly number[]): number[] {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
