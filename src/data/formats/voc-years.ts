import { basename, join } from 'node:path';
import { requireKnownClasses } from '../classes.js';
import type { Dataset } from '../dataset.js';
import type { DatasetLayout, OpenOptions } from '../layout.js';
import { findPart, noSuchPart } from '../parts.js';
import { listFolder } from '../picture-files.js';
import { findVocFolders, listParts, readVoc, type VocFolders } from './voc.js';

/** One year of a VOCdevkit. */
interface VocYear {
  readonly name: string;
  readonly folders: VocFolders;
  readonly parts: readonly string[];
}

/** Several years of Pascal VOC, such as 2007 and 2012 together: a part is that of every year that has it. */
export const vocYearsLayout: DatasetLayout = {
  format: 'voc',
  description: 'Pascal VOC of several years: VOC2007/, VOC2012/ (also in VOCdevkit/), read together',
  async find(root) {
    for (const folder of [root, join(root, 'VOCdevkit')]) {
      const years = await findYears(folder);
      if (years.length === 0) continue;
      const parts = [...new Set(years.flatMap((year) => year.parts))].sort();
      const note = `${years.map(({ name }) => name).join(' and ')}, read together`;
      return { note, parts, read: (options) => readYears(root, years, parts, options) };
    }
    return undefined;
  },
};

async function findYears(folder: string): Promise<VocYear[]> {
  const years: VocYear[] = [];
  for (const name of (await listFolder(folder)).filter((entry) => /^VOC\d{4}$/.test(entry))) {
    const folders = await findVocFolders(join(folder, name));
    if (folders) years.push({ name, folders, parts: await listParts(folders.root) });
  }
  return years;
}

async function readYears(
  root: string,
  years: readonly VocYear[],
  parts: readonly string[],
  options: OpenOptions,
): Promise<Dataset> {
  const { part } = options;
  if (part !== undefined && parts.length > 0 && findPart(parts, part, root) === undefined)
    throw noSuchPart(part, parts, root);
  const wanted = years.filter((year) => part === undefined || parts.length === 0 || findPart(year.parts, part, root));
  // A year without the part has its classes all the same; those of the parts are read with it.
  const skipped = years.filter((year) => !wanted.includes(year));
  const read: [VocYear, Dataset][] = [];
  for (const year of wanted) read.push([year, await readVoc(year.folders, { ...options, classes: undefined })]);
  const known = new Set(read.flatMap(([, { classes }]) => classes));
  for (const { folders } of skipped) {
    const whole = { ...options, part: undefined, classes: undefined, tolerant: true };
    for (const name of (await readVoc(folders, whole)).classes) known.add(name);
  }
  const classes = options.classes ?? [...known].sort();
  requireKnownClasses([...known], classes, root);
  const title = options.part ? `${basename(root)} ${options.part}` : basename(root);
  return {
    name: title,
    format: 'voc',
    classes,
    images: read.flatMap(([year, dataset]) => relabelled(dataset, classes, year.name)),
    problems: read.flatMap(([year, { problems }]) =>
      problems.map((problem) => ({ ...problem, file: join(year.name, problem.file) })),
    ),
  };
}

/** A year's pictures with labels of all years; ids and names say the year, as two years may use one name. */
function relabelled({ images, classes: own }: Dataset, classes: readonly string[], year: string): Dataset['images'] {
  const labels = own.map((name) => classes.indexOf(name));
  return images.map((image) => ({
    ...image,
    id: `${year}/${image.id}`,
    name: join(year, image.name),
    objects: image.objects.map((object) => ({ ...object, label: labels[object.label] })),
  }));
}
