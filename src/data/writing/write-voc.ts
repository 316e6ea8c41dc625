import { extname } from 'node:path';
import { XMLBuilder } from 'fast-xml-parser';
import type { DatasetImage, GroundTruth } from '../dataset.js';
import { countMarks, type NamedPart, sixDecimals, type WrittenFile, type WrittenLayout } from './written-layout.js';

const builder = new XMLBuilder({ format: true, indentBy: '\t', suppressEmptyNode: false });

/** Pascal VOC: `Annotations/`, `JPEGImages/`, lists in `ImageSets/Main/`; the first pixel is 1, as VOC has it. */
export function writeVoc(parts: readonly NamedPart[]): WrittenLayout {
  const { crowd, seen } = countMarks(parts);
  const [{ dataset }] = parts;
  const unused = dataset.classes.filter((_, label) => !seen.has(label));
  const sorted = dataset.classes.toSorted().every((name, i) => name === dataset.classes[i]);
  const notes = [
    crowd > 0 ? `${crowd} crowd boxes are marked difficult, as Pascal VOC has no crowds` : '',
    unused.length > 0 ? `class ${unused.join(', ')} has no object, and Pascal VOC has no list that would name it` : '',
    sorted ? '' : 'Pascal VOC has no order of classes: read again, they come sorted by name',
  ].filter((note) => note !== '');
  return { files: vocFiles(parts), pictureFolder: () => 'JPEGImages', notes };
}

function* vocFiles(parts: readonly NamedPart[]): Generator<WrittenFile> {
  const written = new Set<string>();
  for (const { name, dataset, fileNames } of parts) {
    const stems = fileNames.map((file) => file.slice(0, file.length - extname(file).length));
    for (const [i, image] of dataset.images.entries()) {
      if (written.has(stems[i])) continue;
      written.add(stems[i]);
      yield { path: `Annotations/${stems[i]}.xml`, content: xmlOf(image, fileNames[i], dataset.classes) };
    }
    if (name !== undefined)
      yield { path: `ImageSets/Main/${name}.txt`, content: stems.map((stem) => `${stem}\n`).join('') };
  }
}

function xmlOf({ width, height, objects }: DatasetImage, filename: string, classes: readonly string[]): string {
  const annotation = {
    folder: 'JPEGImages',
    filename,
    size: { width, height, depth: 3 },
    segmented: 0,
    object: objects.map((object) => objectOf(object, classes[object.label])),
  };
  return builder.build({ annotation }) as string;
}

function objectOf({ annotated, box, difficult, crowd, truncated }: GroundTruth, name: string) {
  const [xmin, ymin, xmax, ymax] = (annotated ?? box).map((side) => sixDecimals(side + 1));
  return {
    name,
    pose: 'Unspecified',
    truncated: truncated ? 1 : 0,
    difficult: difficult || crowd ? 1 : 0,
    bndbox: { xmin, ymin, xmax, ymax },
  };
}
