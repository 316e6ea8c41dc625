// Parts of ONNX models that boxwright does not write.
import { content, joined, number } from './protobuf-writer.js';

export interface InitializerParts {
  readonly name?: string;
  readonly dims?: readonly (number | bigint)[];
  /** ONNX's number of the element type; 1 is float32. */
  readonly type?: number;
  /** Fields with the elements. */
  readonly elements?: Uint8Array;
}

export function initializer({
  name = 'a',
  dims = [1],
  type = 1,
  elements = content(9, 'abcd'),
}: InitializerParts): Uint8Array {
  return content(5, ...dims.map((dim) => number(1, dim)), number(2, type), content(8, name), elements);
}

/** A model of initializers alone. */
export function modelOf(...initializers: readonly Uint8Array[]): Uint8Array {
  return joined(number(1, 8), content(2, 'someone'), content(7, content(2, 'g'), ...initializers));
}

/** Where the elements lie in another file. */
export function outside(location: string, place: Readonly<Record<string, string>> = {}): Uint8Array {
  const entries = Object.entries({ location, ...place });
  return joined(...entries.map(([key, value]) => content(13, content(1, key), content(2, value))), number(14, 1));
}
