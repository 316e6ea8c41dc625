// Boxes are written as [x, y, width, height], as COCO has them.
import type { EvaluationData } from '../evaluation-data.js';

/** Detections in one piece of the text. */
const pieceLength = 1000;

/**
 * A COCO results file of everything that was found, piece by piece: picture ids are the data's.
 *
 * @param categoryIds by label.
 */
export function* cocoResultsText(
  { pictures, boxFormat, detections }: EvaluationData,
  categoryIds: readonly number[],
): Generator<string> {
  const { starts, boxes, labels, scores } = detections;
  let lines: string[] = [];
  let before = '[\n';
  for (let p = 0; p < pictures.length; p++) {
    for (let i = starts[p]; i < starts[p + 1]; i++) {
      const [x, y, third, fourth] = boxes.subarray(4 * i, 4 * i + 4);
      const bbox = boxFormat === 'xywh' ? [x, y, third, fourth] : [x, y, third - x, fourth - y];
      const entry = { image_id: pictures[p], category_id: categoryIds[labels[i]], bbox, score: scores[i] };
      lines.push(before, JSON.stringify(entry));
      before = ',\n';
      if (lines.length < 2 * pieceLength) continue;
      yield lines.join('');
      lines = [];
    }
  }
  yield `${lines.join('')}${before === '[\n' ? '[' : '\n'}]\n`;
}
