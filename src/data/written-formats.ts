/** Formats that data sets are written in. */
export const writtenFormats = ['coco', 'voc', 'yolo'] as const;

export type WrittenFormat = (typeof writtenFormats)[number];
