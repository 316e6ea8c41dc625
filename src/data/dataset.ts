/** `[x1, y1, x2, y2]` in pixels of the upright picture; x2 and y2 are exclusive edges, so the width is `x2 - x1`. */
export type PixelBox = [x1: number, y1: number, x2: number, y2: number];

/** One labelled object of a picture. */
export interface GroundTruth {
  /** Inside the picture and of positive size: readers drop or clip what is not, and say so in `Dataset.problems`. */
  readonly box: PixelBox;
  /** The box as annotated, where it reaches beyond the picture and `box` was clipped: metrics are taken with it. */
  readonly annotated?: PixelBox;
  /** Index into `Dataset.classes`, from 0. */
  readonly label: number;
  /** Pascal VOC: hard to recognise; neither trained on nor counted by VOC's metric. */
  readonly difficult?: boolean;
  /** Pascal VOC: the box does not cover the whole object. */
  readonly truncated?: boolean;
  /** COCO: the box stands for a group; detections inside it are ignored by COCO's metric. */
  readonly crowd?: boolean;
  /** COCO: area of the segmentation in pixels, by which its metric sorts objects into small, medium and large. */
  readonly area?: number;
  /** COCO: the annotation's id. */
  readonly id?: number;
  /** Where it was read; only where a data set is opened for inspection (`tolerant`). */
  readonly origin?: Pick<DataProblem, 'file' | 'line' | 'index'>;
}

/** A picture of a data set, not decoded yet. */
export interface DatasetImage {
  /** COCO's image id, or the name without extension where the format has no ids. */
  readonly id: number | string;
  /** Absolute path of the file. */
  readonly path: string;
  /** File name as the annotations give it, for messages. */
  readonly name: string;
  /** Size in pixels after EXIF orientation, from the annotations; compared with the file when it is decoded. */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly GroundTruth[];
}

/** What sort of oddity a problem is, for counting. */
export type ProblemKind =
  | 'no size' // a box of zero or negative width or height
  | 'outside' // a box wholly outside its picture
  | 'beyond' // a box that reaches beyond its picture
  | 'not a number' // a coordinate that is none
  | 'unknown class'
  | 'unusable' // an annotation that cannot be understood
  | 'missing picture'
  | 'broken picture' // cannot be decoded
  | 'other size' // a picture of another size than its annotation says
  | 'duplicate box'
  | 'duplicate picture'
  | 'leak' // the same picture in two parts
  | 'unused class';

/** Something odd in the data that was survived; what could not be survived is a `BoxwrightError`. */
export interface DataProblem {
  readonly kind: ProblemKind;
  /** The annotation file or picture. */
  readonly file: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  /** Where in the file: object or annotation index from 0. */
  readonly index?: number;
  /** What was found. */
  readonly what: string;
  /** What was done about it. */
  readonly action: 'dropped' | 'clipped' | 'replaced' | 'kept';
}

/** Formats that `openDataset` reads. */
export const datasetFormats = ['coco', 'voc', 'yolo', 'darknet', 'labelme', 'createml', 'csv', 'text'] as const;

/** A format of annotations. */
export type DatasetFormat = (typeof datasetFormats)[number];

/** Pictures with their labelled boxes. */
export interface Dataset {
  /** Folder or file name and part, for titles and messages. */
  readonly name: string;
  readonly format: DatasetFormat;
  /** How the format was recognised, and what else was taken from where, for people. */
  readonly note?: string;
  /** Class names; the order is the same for every part of a data set. */
  readonly classes: readonly string[];
  /** COCO's category id of every class. */
  readonly categoryIds?: readonly number[];
  readonly images: readonly DatasetImage[];
  readonly problems: readonly DataProblem[];
}

/** A problem as one line for people. */
export function describeProblem({ file, line, index, what, action }: DataProblem): string {
  return `${placeOf({ file, line, index })}: ${what}${action === 'kept' ? '' : ` (${action})`}`;
}

/** A place in a file as messages name it. */
export function placeOf({ file, line, index }: Pick<DataProblem, 'file' | 'line' | 'index'>): string {
  if (line !== undefined) return `${file}, line ${line}`;
  return index === undefined ? file : `${file}, object ${index}`;
}
