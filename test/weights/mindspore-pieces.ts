// Parts of MindSpore's checkpoints that boxwright does not write.
import { crc32 } from 'node:zlib';
import { content, joined, number } from './protobuf-writer.js';

export interface ValueParts {
  readonly name?: string;
  readonly dims?: readonly number[];
  readonly type?: string;
  readonly bytes?: Uint8Array;
}

/** One value, whatever it holds. */
export function mindsporeValue({ name = 'a', dims = [1], type = 'Float32', bytes = new Uint8Array(4) }: ValueParts) {
  const tensor = joined(...dims.map((dim) => number(1, dim)), content(2, type), content(3, bytes));
  return content(1, content(1, name), content(2, tensor));
}

/** A text saved beside the parameters, as numpy lays it out. */
export function mindsporeText(name: string, text: string): Uint8Array {
  const points = Uint32Array.from(text, (letter) => letter.codePointAt(0)!);
  return mindsporeValue({ name, dims: [0], type: 'str', bytes: new Uint8Array(points.buffer) });
}

/** With what `crc_check` adds. */
export function withChecksum(file: Uint8Array): Uint8Array {
  const end = Buffer.alloc(10);
  end.writeBigUInt64BE(BigInt(crc32(file)), 2);
  return joined(file, 'crc_num', end);
}
