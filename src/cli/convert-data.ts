import type { DatasetPart, WrittenFormat } from '../data/index.js';
import type { OpenOptions } from '../data/layout.js';
import type { Context } from './command.js';

export interface ConvertDataArguments {
  readonly from: string;
  readonly out: string;
  readonly to: WrittenFormat;
  readonly link: boolean;
  readonly json: boolean;
}

/** Writes a data set in another format, part by part. */
export async function convertData(
  { from, out, to, link, json }: ConvertDataArguments,
  options: OpenOptions,
  { terminal, signal }: Context,
): Promise<number> {
  const { writeDataset } = await import('../data/index.js');
  const parts = await openParts(from, to, { ...options, signal });
  const problems = parts.reduce((sum, { dataset }) => sum + dataset.problems.length, 0);
  const written = await writeDataset(parts, out, {
    format: to,
    pictures: link ? 'link' : 'copy',
    signal,
    onPicture: (done, total) => terminal.progress(`${done} of ${total} pictures`, done / total),
  });
  const [{ dataset }] = parts;
  terminal.note(`${from}: ${dataset.note}`);
  const notes = [...written.notes];
  if (problems > 0) notes.unshift(`${problems} boxes were clipped or dropped; boxwright data ${from} tells which`);
  if (json) {
    const own = parts.map(({ name, dataset: { images } }) => ({
      name,
      pictures: images.length,
      boxes: images.reduce((sum, { objects }) => sum + objects.length, 0),
    }));
    const { pictures, boxes } = written;
    const { classes, note } = dataset;
    const about = { kind: 'data', path: out, format: to, classes, pictures, boxes, parts: own };
    await terminal.printJson({ ...about, note, notes });
    return 0;
  }
  for (const note of notes) terminal.warn(note);
  const listed = parts.flatMap(({ name, dataset: { images } }) =>
    name === undefined ? [] : `${name} ${images.length}`,
  );
  const named = listed.length > 0 ? ` (${listed.join(', ')})` : '';
  await terminal.print(`${out}: ${to}, ${written.pictures} pictures${named}, ${written.boxes} boxes`);
  return 0;
}

/** The parts of a data set; one of one whole is split where the format needs parts to be of use. */
async function openParts(from: string, to: WrittenFormat, options: OpenOptions): Promise<DatasetPart[]> {
  const { findDataset, openDataset } = await import('../data/index.js');
  const { mainParts } = await import('../data/parts.js');
  const found = await findDataset(from, options.format);
  const names = mainParts(found.parts);
  const whole = found.parts.length === 1 ? found.parts[0] : undefined;
  if (names.length === 0 && to !== 'yolo') {
    return [{ dataset: await openDataset(from, { ...options, part: whole }) }];
  }
  const parts: DatasetPart[] = [];
  for (const name of names.length > 0 ? names : ['train', 'val']) {
    const dataset = await openDataset(from, { ...options, part: name, classes: parts[0]?.dataset.classes });
    parts.push({ name: /^valid(ation)?$/.test(name) ? 'val' : name, dataset });
  }
  return parts;
}
