/** Formats that data sets are written in. */
export const writtenFormats = ['coco', 'voc', 'yolo'] as const;

/** A format that data sets are written in. */
export type WrittenFormat = (typeof writtenFormats)[number];
