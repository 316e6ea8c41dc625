import { bytesPerElement } from '../graph/tensor.js';
import { isLeaf, topological, type Value } from '../graph/value.js';

/** Operators whose output is their input's memory. */
const views: ReadonlySet<string> = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);
/** Operators that write over an input which nothing else reads, if it has the output's size. */
const inPlace: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div'],
  ...['Relu', 'Sqrt', 'Exp', 'Log', 'Sigmoid', 'HardSigmoid', 'Clip', 'Reciprocal', 'Neg', 'Abs', 'Floor', 'Cast'],
]);

/** Memory that one or several values share. */
interface Room {
  readonly bytes: number;
  /** Reads that are still to come. */
  reads: number;
}

/**
 * Most bytes of values in between that are alive at once when the nodes of a lowered graph run one after the other: what
 * the backward pass keeps, and what it works on. Inputs, constants and outputs are not counted. Values of free shape
 * count as nothing.
 */
export function liveBytes(outputs: readonly Value[]): number {
  const nodes = topological(outputs).filter(({ outputs: [first] }) => !first || !isLeaf(first));
  const kept = new Set(outputs);
  const reads = new Map<Value, number>();
  for (const node of nodes) for (const input of node.inputs) if (input) reads.set(input, (reads.get(input) ?? 0) + 1);
  const rooms = new Map<Value, Room>();
  let now = 0;
  let most = 0;
  for (const { operator, inputs, outputs: written } of nodes) {
    const read = inputs.flatMap((input) => (input && rooms.get(input)) ?? []);
    for (const [i, value] of written.entries()) {
      const bytes = kept.has(value) ? 0 : bytesOf(value);
      const viewed = i === 0 && views.has(operator.type) ? read[0] : undefined;
      const spent =
        i === 0 && inPlace.has(operator.type)
          ? read.find((room) => room.reads === 1 && room.bytes === bytes)
          : undefined;
      const room = viewed ?? spent ?? { bytes, reads: 0 };
      if (!viewed && !spent) now += bytes;
      room.reads += reads.get(value) ?? 0;
      rooms.set(value, room);
    }
    most = Math.max(most, now);
    for (const room of read) if (--room.reads === 0) now -= room.bytes;
    for (const value of written) {
      const room = rooms.get(value)!;
      if (room.reads === 0 && !read.includes(room)) now -= room.bytes;
    }
  }
  return most;
}

function bytesOf({ dtype, shape }: Value): number {
  return shape.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 0), bytesPerElement(dtype));
}
