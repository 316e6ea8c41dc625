import type { Picture } from '../data/picture.js';
import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';

/** Things one after the other, from a list or as they come. */
export type Inputs<Input> = Iterable<Input> | AsyncIterable<Input>;

/** How pictures of some kind are read. */
export interface PictureReader<Input> {
  /** What messages and results call it. */
  nameOf(input: Input, index: number): string;
  /** @throws BoxwrightError `data` naming the picture if it cannot be read. */
  read(input: Input, name: string): Promise<Picture>;
}

/** A picture, or the reason why it could not be read. */
export interface ReadPicture {
  readonly source: string;
  readonly picture: Picture | BoxwrightError;
}

/** A picture under way. The promise stands in an object, since a generator would await a bare one. */
export interface Reading {
  readonly pending: Promise<ReadPicture>;
}

/** Begins to read each picture. */
export async function* readings<Input>(
  inputs: Inputs<Input>,
  reader: PictureReader<Input>,
): AsyncGenerator<Reading, void, undefined> {
  let index = 0;
  for await (const input of inputs) yield { pending: read(input, index++, reader) };
}

/** Never rejects, since nobody may be listening before the picture's turn comes. */
async function read<Input>(input: Input, index: number, reader: PictureReader<Input>): Promise<ReadPicture> {
  let source = `picture ${index}`;
  try {
    source = reader.nameOf(input, index);
    return { source, picture: await reader.read(input, source) };
  } catch (cause) {
    if (cause instanceof BoxwrightError) return { source, picture: cause };
    return { source, picture: new BoxwrightError('data', `${source}: ${(cause as Error).message}`, { cause }) };
  }
}

/** `size` neighbours of equal size together, where there are so many; others and broken pictures stand alone. */
export async function* groups(
  pictures: AsyncIterable<Reading>,
  size: number,
): AsyncGenerator<ReadPicture[], void, undefined> {
  let group: ReadPicture[] = [];
  for await (const { pending } of pictures) {
    const next = await pending;
    if (group.length > 0 && !sameSize(group[0].picture, next.picture)) {
      for (const single of group) yield [single];
      group = [];
    }
    group.push(next);
    if (group.length === size || next.picture instanceof BoxwrightError) {
      yield group;
      group = [];
    }
  }
  for (const single of group) yield [single];
}

function sameSize(a: ReadPicture['picture'], b: ReadPicture['picture']): boolean {
  if (a instanceof BoxwrightError || b instanceof BoxwrightError) return false;
  return a.width === b.width && a.height === b.height;
}

/** uint8 [batch, height, width, 3] */
export function stacked(pictures: readonly Picture[]): Tensor {
  const [{ data: first, width, height }] = pictures;
  const shape = [pictures.length, height, width, 3];
  if (pictures.length === 1) return { dtype: 'uint8', shape, data: first };
  const data = new Uint8Array(pictures.length * first.length);
  pictures.forEach((picture, i) => {
    data.set(picture.data, i * first.length);
  });
  return { dtype: 'uint8', shape, data };
}
