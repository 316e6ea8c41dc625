import type { Random } from '../src/data/augment/random.js';

/** Changes a file in one way; `samples` are the other valid files of its format. */
export type Mutation = (bytes: Uint8Array, random: Random, samples: readonly Uint8Array[]) => Uint8Array;

/** No mutated file is larger, so that its size alone cannot take a case's time or memory. */
const largest = 2 ** 20;

const join = (...pieces: Uint8Array[]) => new Uint8Array(Buffer.concat(pieces).subarray(0, largest));

/** `bytes` with `count` of them from `at` replaced. */
function replaced(bytes: Uint8Array, at: number, count: number, by: Uint8Array): Uint8Array {
  return join(bytes.subarray(0, at), by, bytes.subarray(at + count));
}

/** A range of up to `longest` bytes, short ones more often. */
function range(bytes: Uint8Array, random: Random, longest = bytes.length): { at: number; count: number } {
  const at = random.int(bytes.length + 1);
  const count = Math.floor(random.uniform(0, 1) ** 3 * (Math.min(longest, bytes.length - at) + 1));
  return { at, count };
}

const randomBytes = (count: number, random: Random) => Uint8Array.from({ length: count }, () => random.int(256));

const numbers = [
  ...[0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 2n ** 24n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 61n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];

const texts = [
  ...['0', '-1', '1e308', '1e999', '0.5', '2147483648', '9007199254740993', '9223372036854775807'],
  ...['9223372036854775808', '18446744073709551615', '1'.repeat(400), 'null', '"x"', '[]', '{}', ''],
];

/** What opens one more level somewhere: JSON, pickle (mark, empty list, tuple, memo), protobuf groups and messages. */
const openers = ['[', '{"a":', '(', ']', '((', ')', '\x85', 'h\x00', '}', '\x0b', '\x0a\x7f', '2', '\x00', '\xff', '0'];

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  if (out.length) for (let n = 1 + random.int(8); n > 0; n--) out[random.int(out.length)] ^= 1 << random.int(8);
  return out;
}

function setBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, count } = range(bytes, random, 16);
  return replaced(bytes, at, count, randomBytes(count, random));
}

/** A field of a fixed width gets a number at the edge of some type, in either byte order. */
function setNumber(bytes: Uint8Array, random: Random): Uint8Array {
  const width = [1, 2, 4, 8][random.int(4)];
  const field = Buffer.alloc(8);
  field.writeBigUInt64LE(numbers[random.int(numbers.length)]);
  const little = field.subarray(0, width);
  const step = random.int(2) ? width : 1; // fields often lie at multiples of their width
  const at = Math.floor(random.int(bytes.length + 1) / step) * step;
  return replaced(bytes, at, width, random.int(4) ? little : little.reverse());
}

/** A variable-length number (protobuf's) becomes another one, or one that never ends. */
function setVarint(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.int(bytes.length + 1);
  let end = at;
  while (end < bytes.length && bytes[end] >= 0x80 && end - at < 9) end++;
  const endless = random.int(8) === 0;
  const by = endless ? new Uint8Array(11).fill(0x80 + random.int(128)) : varint(numbers[random.int(numbers.length)]);
  return replaced(bytes, at, end + 1 - at, by);
}

/** A number in text becomes another one, or something that is no number. */
function setDecimal(bytes: Uint8Array, random: Random): Uint8Array {
  const found = [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/-?\d+(\.\d+)?/g),
  ];
  if (found.length === 0) return setNumber(bytes, random);
  const { index, 0: text } = found[random.int(found.length)];
  return replaced(bytes, index, text.length, Buffer.from(texts[random.int(texts.length)]));
}

function truncate(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random.int(bytes.length + 1));
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, count } = range(bytes, random);
  return replaced(bytes, at, count, new Uint8Array(0));
}

function insert(bytes: Uint8Array, random: Random): Uint8Array {
  return replaced(bytes, random.int(bytes.length + 1), 0, randomBytes(1 + random.int(32), random));
}

function zero(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, count } = range(bytes, random);
  return replaced(bytes, at, count, new Uint8Array(count).fill(random.int(2) ? 0 : 255));
}

/** A piece a second time, behind itself or elsewhere. */
function duplicate(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, count } = range(bytes, random);
  const to = random.int(2) ? at + count : random.int(bytes.length + 1);
  return replaced(bytes, to, 0, bytes.subarray(at, at + count));
}

/** Two neighbouring pieces change places. */
function reorder(bytes: Uint8Array, random: Random): Uint8Array {
  const [a, b, c] = [0, 0, 0].map(() => random.int(bytes.length + 1)).sort((x, y) => x - y);
  return join(bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c));
}

/** A few bytes many times over: a level within a level within a level. */
function nest(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, count } = range(bytes, random, 8);
  const opener = openers[random.int(openers.length)];
  const piece = random.int(2) && count ? bytes.slice(at, at + count) : Buffer.from(opener, 'latin1');
  const times = Math.floor(10 ** random.uniform(0, 5));
  return replaced(bytes, at, 0, Buffer.alloc(Math.min(piece.length * times, largest), piece));
}

/** The start of one file and the end of another. */
function splice(bytes: Uint8Array, random: Random, samples: readonly Uint8Array[]): Uint8Array {
  const other = samples[random.int(samples.length)];
  return join(bytes.subarray(0, random.int(bytes.length + 1)), other.subarray(random.int(other.length + 1)));
}

/** What is done to files of every format. */
export const mutations: readonly Mutation[] = [
  ...[flipBits, setBytes, setNumber, setNumber, setVarint, setVarint, setDecimal, truncate, remove, insert, zero],
  ...[duplicate, reorder, nest, splice],
];
