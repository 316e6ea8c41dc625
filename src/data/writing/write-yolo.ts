import { extname } from 'node:path';
import { stringify } from 'yaml';
import type { DatasetImage } from '../dataset.js';
import { countMarks, type NamedPart, type WrittenFile, type WrittenLayout } from './written-layout.js';

/** Decimals of a share: a hundred-thousandth of a pixel in a picture of ten thousand. */
const DECIMALS = 9;

/** YOLO: `data.yaml`, `images/<part>/` and `labels/<part>/`. */
export function writeYolo(parts: readonly NamedPart[]): WrittenLayout {
  const { crowd, difficult } = countMarks(parts);
  const notes = [
    crowd > 0 ? `${crowd} crowd boxes are left out, as YOLO has no crowds` : '',
    difficult > 0 ? `${difficult} difficult objects are objects like others, as YOLO has no such mark` : '',
  ].filter((note) => note !== '');
  return { files: yoloFiles(parts), pictureFolder: (part) => `images/${partOf(part)}`, notes };
}

const partOf = ({ name }: NamedPart) => name ?? 'train';

function* yoloFiles(parts: readonly NamedPart[]): Generator<WrittenFile> {
  const [{ dataset }] = parts;
  const places = Object.fromEntries(parts.map((part) => [partOf(part), `images/${partOf(part)}`]));
  const names = Object.fromEntries(dataset.classes.map((name, i) => [i, name]));
  yield { path: 'data.yaml', content: stringify({ ...places, nc: dataset.classes.length, names }) };
  for (const part of parts) {
    for (const [i, image] of part.dataset.images.entries()) {
      const file = part.fileNames[i];
      const stem = file.slice(0, file.length - extname(file).length);
      yield { path: `labels/${partOf(part)}/${stem}.txt`, content: linesOf(image) };
    }
  }
}

/** Boxes cut to the picture: shares beyond 0 and 1 are refused by trainers. */
function linesOf({ width, height, objects }: DatasetImage): string {
  const kept = objects.filter(({ crowd }) => !crowd);
  const lines = kept.map(({ box: [x1, y1, x2, y2], label }) => {
    const shares = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height];
    return `${label} ${shares.map((share) => Number(share.toFixed(DECIMALS))).join(' ')}\n`;
  });
  return lines.join('');
}
