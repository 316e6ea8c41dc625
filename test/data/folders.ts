import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** Writes files below a folder, making the folders on the way. */
export async function writeFiles(root: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

/** A JPEG of one colour. */
export async function plainJpeg(width = 40, height = 30, background = '#808080'): Promise<Uint8Array> {
  return sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

/** A Pascal VOC file; boxes as written there. */
export function vocXml(objects: readonly string[], { width = 40, height = 30, filename = 'a.jpg' } = {}): string {
  const size = `<size><width>${width}</width><height>${height}</height><depth>3</depth></size>`;
  return `<annotation><filename>${filename}</filename>${size}${objects.join('')}</annotation>`;
}

/** An object of a Pascal VOC file. */
export function vocObject(name: string, [x1, y1, x2, y2]: readonly unknown[], more = ''): string {
  const box = `<xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax>`;
  return `<object><name>${name}</name>${more}<bndbox>${box}</bndbox></object>`;
}
