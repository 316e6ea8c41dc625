import type { WeightFile } from './weight-file.js';

/** Where files have their classes: ours, mmdetection's of version 2 and of version 3. */
const classKeys = ['classes', 'meta.CLASSES', 'meta.dataset_meta.classes', 'meta.dataset_meta.CLASSES'];

/** The classes that a file names in its metadata. */
export function classesOf({ metadata }: Pick<WeightFile, 'metadata'>): readonly string[] | undefined {
  for (const key of classKeys) {
    try {
      const names = JSON.parse(metadata[key] ?? 'null') as unknown;
      if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
    } catch {
      // then they are not known
    }
  }
  return undefined;
}
