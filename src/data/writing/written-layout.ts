import type { Dataset } from '../dataset.js';

/** A part to be written, such as `train`; one without a name is the whole. */
export interface DatasetPart {
  readonly name?: string;
  readonly dataset: Dataset;
}

/** A file to be written below the folder. */
export interface WrittenFile {
  readonly path: string;
  readonly content: string | Iterable<string>;
}

/** A part with the file name that each of its pictures gets, without folders, of one stem each. */
export interface NamedPart {
  readonly name: string | undefined;
  readonly dataset: Dataset;
  readonly fileNames: readonly string[];
}

/** A data set as a format has it: files of annotations, and the folder of each part's pictures. */
export interface WrittenLayout {
  readonly files: Iterable<WrittenFile>;
  /** Folder of a part's pictures, below the data set's. */
  pictureFolder(part: NamedPart): string;
  readonly notes: readonly string[];
}

/** A number as short as it can be with at most six decimals, which rounds away what adding and taking away left. */
export function sixDecimals(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** Counts of what some formats cannot say. */
export function countMarks(parts: readonly NamedPart[]) {
  const objects = parts.flatMap(({ dataset }) => dataset.images.flatMap((image) => image.objects));
  return {
    difficult: objects.filter(({ difficult }) => difficult).length,
    crowd: objects.filter(({ crowd }) => crowd).length,
    empty: parts.flatMap(({ dataset }) => dataset.images).filter((image) => image.objects.length === 0).length,
    seen: new Set(objects.map(({ label }) => label)),
  };
}
