import type { Dataset, DatasetFormat } from './dataset.js';

/** How a data set is opened. */
export interface OpenOptions {
  /** The format, where it should not be recognised. */
  readonly format?: DatasetFormat;
  /**
   * `train`, `val`, `test`, `trainval` or any other part that the data set has; `val` also finds `valid`, and `train` finds
   * `train2017`. Without it: every annotated picture. A data set without parts is split by `seed`.
   */
  readonly part?: string;
  /** Seed of the split of a data set without parts; 0 by default. */
  readonly seed?: number;
  /** The classes in the order wanted, for instance a model's; a class of the data that is not among them is an error. */
  readonly classes?: readonly string[];
  /** Folder of the pictures, where they are not beside the annotations. */
  readonly pictures?: string;
  /**
   * What Pascal VOC files call the first pixel: 1 by default, as VOC itself does, so that 1 is taken from every coordinate
   * (as SSD and RefineDet do); 0 for files whose writer counted from 0. Other formats count from 0.
   */
  readonly firstPixel?: 0 | 1;
  /**
   * Order of a text list's four numbers: `xyxy` by default, as the MindSpore zoo documents it; `yxyx`, as its code reads
   * it.
   */
  readonly boxOrder?: 'xyxy' | 'yxyx';
  /**
   * Puts what makes an object or picture unusable (a number that is none, an unknown class, a missing picture) among the
   * data set's `problems`, and leaves it out, instead of throwing: for inspection, not for training.
   */
  readonly tolerant?: boolean;
  /** Ends the reading between two files. */
  readonly signal?: AbortSignal;
}

/** A data set that was recognised, not read yet. */
export interface FoundDataset {
  /** What was recognised, such as `Annotations/ with 100 xml files`. */
  readonly note: string;
  /** Names of its parts; none if it is one whole. */
  readonly parts: readonly string[];
  read(options: OpenOptions): Promise<Dataset>;
}

/** One way in which data sets lie on disk; a format may have several. */
export interface DatasetLayout {
  readonly format: DatasetFormat;
  /** What is looked for, for the error when nothing fits. */
  readonly description: string;
  /** Undefined if `path` (absolute, existing) is not of this layout. */
  find(path: string): Promise<FoundDataset | undefined>;
}
