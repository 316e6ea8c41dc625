import { varint as read } from '../../src/weights/formats/protobuf.js';
import { content, joined, number, varint } from '../../test/weights/protobuf-writer.js';
import { type Mutation, mutations } from '../mutations.js';

interface Field {
  readonly number: number;
  /** Content of fields with a length, and the bytes of all others, key included. */
  readonly bytes: Uint8Array;
  readonly hasLength: boolean;
}

/** The fields of a message; undefined if the bytes are none. */
function parse(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const key = read(bytes, at, bytes.length);
    if (!key) return undefined;
    const wire = key.value % 8;
    const value = wire === 0 || wire === 2 ? read(bytes, key.end, bytes.length) : undefined;
    const end =
      wire === 1
        ? key.end + 8
        : wire === 5
          ? key.end + 4
          : (value?.end ?? Number.NaN) + (wire === 2 ? (value?.value ?? 0) : 0);
    if (!(end <= bytes.length)) return undefined;
    const hasLength = wire === 2;
    fields.push({ number: Math.floor(key.value / 8), hasLength, bytes: bytes.slice(hasLength ? value!.end : at, end) });
    at = end;
  }
  return fields;
}

const written = ({ number: field, hasLength, bytes }: Field) => (hasLength ? content(field, bytes) : bytes);

const edges = [0n, 1n, 2n, 127n, 128n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];

/** A change somewhere in the tree of messages, with the lengths around it put right, so that it is read at all. */
const inMessage: Mutation = (bytes, random, samples) => {
  const fields = parse(bytes);
  if (!fields?.length) return mutations[random.int(mutations.length)](bytes, random, samples);
  const at = random.int(fields.length);
  const field = fields[at];
  const other = random.int(fields.length);
  const choices: readonly (() => Field[])[] = [
    () => fields.toSpliced(at, 1),
    () => fields.toSpliced(other, 0, field),
    () => fields.with(at, fields[other]).with(other, field),
    () => fields.with(at, { ...field, number: 1 + random.int(16) }),
    () =>
      fields.with(at, { number: 0, hasLength: false, bytes: number(field.number, edges[random.int(edges.length)]) }),
    () => fields.with(at, { number: field.number, hasLength: true, bytes: varint(edges[random.int(edges.length)]) }),
  ];
  // Into the content in most cases, so that what lies deep is met as often as what does not.
  const deeper = () => fields.with(at, { ...field, bytes: inMessage(field.bytes, random, samples) });
  const changed = field.hasLength && random.int(3) ? deeper() : choices[random.int(choices.length)]();
  return joined(...changed.map(written));
};

export const protobufMutations: readonly Mutation[] = [inMessage];
