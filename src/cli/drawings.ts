import { mkdir } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { BoxwrightError } from '../errors.js';
import type { PictureDetections } from '../predict/formats/index.js';
import { drawDetectionsTo } from '../report/drawing/draw.js';
import { writeError } from '../weights/atomic-file.js';
import { requireNoFile } from './free-target.js';
import type { PicturePath } from './picture-paths.js';

/** Where the drawing of each picture goes. */
export class Drawings {
  readonly #targets: ReadonlyMap<string, string>;

  private constructor(targets: ReadonlyMap<string, string>) {
    this.#targets = targets;
  }

  /**
   * Gives every picture its drawing below `folder`, named like it (as PNG if it is no JPEG).
   *
   * @throws BoxwrightError `io` before anything is drawn, if a drawing would replace a picture, another drawing, or
   *   (unless `force`) any file.
   */
  static plan(folder: string, pictures: readonly PicturePath[], force: boolean): Drawings {
    const sources = new Set(pictures.map(({ path }) => resolve(path)));
    const targets = new Map<string, string>();
    const owners = new Map<string, string>();
    for (const { path, name } of pictures) {
      const target = join(folder, drawingName(name));
      const other = owners.get(target);
      if (sources.has(resolve(target))) {
        const problem = 'drawing would replace the picture itself';
        throw new BoxwrightError('io', `${target}: ${problem}; choose another --draw folder.`);
      }
      if (other !== undefined) {
        const problem = `${path} and ${other} would both be drawn to ${target}`;
        throw new BoxwrightError('io', `${problem}; give the folder above them, or draw them one after the other.`);
      }
      if (!force) requireNoFile(target);
      owners.set(target, path);
      targets.set(path, target);
    }
    return new Drawings(targets);
  }

  /** Draws what was found in the picture of this path. @returns the path of the drawing. */
  async draw(path: string, { source, detections }: PictureDetections): Promise<string> {
    const target = this.#targets.get(path)!;
    const folder = dirname(target);
    await mkdir(folder, { recursive: true }).catch((cause) => Promise.reject(writeError(folder, cause)));
    await drawDetectionsTo(target, source, detections);
    return target;
  }
}

function drawingName(name: string): string {
  const ending = extname(name);
  const jpeg = ['.jpg', '.jpeg'].includes(ending.toLowerCase());
  return jpeg ? name : `${name.slice(0, name.length - ending.length)}.png`;
}
