import { posix } from 'node:path';
import type { DatasetImage } from '../data/dataset.js';
import type { CocoIds } from '../predict/formats/index.js';

interface Candidate {
  /** With a slash before it, so that it only ends a path where a name begins. */
  readonly path: string;
  readonly id: number;
}

/**
 * COCO's image ids by the paths of pictures: by file name, and where several images have that one, by as much of the path
 * as the ground truth gives. Undefined for a picture that this does not tell.
 */
export function imageIds(images: readonly Pick<DatasetImage, 'name' | 'id'>[]): CocoIds['imageId'] {
  const byName = new Map<string, Candidate[]>();
  for (const { name, id } of images) {
    const candidate = { path: slashed(name), id: Number(id) };
    const same = byName.get(posix.basename(candidate.path));
    if (same) same.push(candidate);
    else byName.set(posix.basename(candidate.path), [candidate]);
  }
  return (source) => {
    const path = slashed(source);
    const same = byName.get(posix.basename(path)) ?? [];
    if (same.length < 2) return same[0]?.id;
    const [longest] = same.filter((image) => path.endsWith(image.path)).sort((a, b) => b.path.length - a.path.length);
    return longest?.id;
  };
}

function slashed(path: string): string {
  return `/${path.replaceAll('\\', '/')}`;
}
