import type { GroundTruth } from '../dataset.js';
import { countMarks, type NamedPart, sixDecimals, type WrittenFile, type WrittenLayout } from './written-layout.js';

/** COCO: `annotations/instances_<part>.json`, pictures in `<part>/`; ids of pictures, categories and objects are kept. */
export function writeCoco(parts: readonly NamedPart[]): WrittenLayout {
  const { difficult } = countMarks(parts);
  const mark = `${difficult} difficult objects keep a mark of that name, which COCO's own metric does not know`;
  return {
    files: cocoFiles(parts),
    pictureFolder: ({ name }) => name ?? 'images',
    notes: difficult > 0 ? [mark] : [],
  };
}

function* cocoFiles(parts: readonly NamedPart[]): Generator<WrittenFile> {
  let next = 1;
  for (const part of parts) {
    const { images } = part.dataset;
    // Ids of the source where all have one and they differ, else numbers that go on over the parts.
    const own = images.map(({ id }) => id).filter((id) => typeof id === 'number');
    const keepsIds = new Set(own).size === images.length;
    const ids = images.map(({ id }) => (keepsIds ? (id as number) : next++));
    yield { path: `annotations/instances_${part.name ?? 'default'}.json`, content: cocoText(part, ids) };
  }
}

/** An entry a line, so that people can look at it, and never in memory as a whole. */
function* cocoText({ dataset, fileNames }: NamedPart, ids: readonly number[]): Generator<string> {
  const { images, classes, categoryIds } = dataset;
  const categories = classes.map((name, i) => ({ id: categoryIds?.[i] ?? i + 1, name, supercategory: '' }));
  yield '{"info":{"description":"written by boxwright"},\n"categories":[\n';
  yield `${categories.map((category) => JSON.stringify(category)).join(',\n')}\n],\n"images":[\n`;
  for (const [i, { width, height }] of images.entries()) {
    yield `${i === 0 ? '' : ',\n'}${JSON.stringify({ id: ids[i], file_name: fileNames[i], width, height })}`;
  }
  yield '\n],\n"annotations":[\n';
  const taken = images.flatMap(({ objects }) => objects.map(({ id }) => id));
  const keepsIds = taken.every((id) => id !== undefined) && new Set(taken).size === taken.length;
  let count = 0;
  for (const [i, { objects }] of images.entries()) {
    for (const object of objects) {
      const id = keepsIds ? (object.id as number) : count + 1;
      const entry = annotation(object, id, ids[i], categories[object.label].id);
      yield `${count === 0 ? '' : ',\n'}${JSON.stringify(entry)}`;
      count++;
    }
  }
  yield '\n]}\n';
}

/** As annotated, not as clipped to the picture: COCO's metric counts with the former. */
function annotation(object: GroundTruth, id: number, imageId: number, categoryId: number) {
  const [x1, y1, x2, y2] = object.annotated ?? object.box;
  const bbox = [x1, y1, x2 - x1, y2 - y1].map(sixDecimals);
  const area = object.area ?? sixDecimals((x2 - x1) * (y2 - y1));
  const marks = { ...(object.difficult ? { difficult: 1 } : {}), ...(object.truncated ? { truncated: 1 } : {}) };
  return { id, image_id: imageId, category_id: categoryId, bbox, area, iscrowd: object.crowd ? 1 : 0, ...marks };
}
