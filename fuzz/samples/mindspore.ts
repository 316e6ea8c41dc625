import type { ElementType } from '../../src/graph/tensor.js';
import { writeMindspore } from '../../src/weights/formats/mindspore-writer.js';
import { mindsporeText, withChecksum } from '../../test/weights/mindspore-pieces.js';
import { eachOf, small, someShapes } from './tensors.js';
import { writtenBy } from './written.js';

const dtypes: readonly ElementType[] = [
  ...(['float32', 'float16', 'float64', 'uint8', 'int8', 'int32', 'int64', 'uint32', 'bool'] as const),
];

/** Each element type, scalars, an empty tensor, a tensor in pieces, a text, a checksum. */
export async function mindsporeSamples(): Promise<Uint8Array[]> {
  const every = await writtenBy((path) => writeMindspore(path, eachOf(dtypes)));
  const few = await writtenBy((path) => writeMindspore(path, someShapes()));
  const pieces = new Map([['fc.weight', small('float32', [10, 3])]]);
  const split = await writtenBy((path) => writeMindspore(path, pieces, { pieceBytes: 50 }));
  const text = Buffer.concat([split, mindsporeText('note', 'née 🙂')]);
  return [every, few, split, new Uint8Array(text), withChecksum(few)];
}
