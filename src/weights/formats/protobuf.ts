import { BoxwrightError } from '../../errors.js';
import type { ByteSource } from '../byte-source.js';

/** A field of a message, and where its content lies in the file. */
export interface ProtobufField {
  readonly number: number;
  /** How the content is written: 0 a number of variable length, 1 eight bytes, 2 bytes of a given length, 5 four bytes. */
  readonly wire: 0 | 1 | 2 | 5;
  /** The number of wire type 0, without sign: exact up to 2^53, and beyond it (negative ones too) at least near 2^53. */
  readonly value: number;
  readonly begin: number;
  readonly end: number;
}

/** Headers of messages are read in pieces of this many bytes; what is larger is read by itself or skipped. */
const windowSize = 2 ** 16;

/** Names and other texts are not longer than this in any file worth reading. */
const longestText = 2 ** 16;

/**
 * Walks over a protobuf file without holding it: fields are told one by one, and content is read only where it is asked
 * for. Every length is checked against the message around it before anything is read.
 */
export class ProtobufFile {
  readonly name: string;
  readonly #source: ByteSource;
  readonly #size: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowBegin = 0;

  /** @param size bytes of the source that are protobuf, from its beginning */
  constructor(source: ByteSource, size = source.size) {
    this.name = source.name;
    this.#source = source;
    this.#size = size;
  }

  /**
   * The fields of the message at these bytes, in the order of the file; without them, of the whole file.
   * @throws BoxwrightError `weights` where the bytes are no protobuf message.
   */
  async *fields(
    { begin, end }: { begin: number; end: number } = { begin: 0, end: this.#size },
  ): AsyncGenerator<ProtobufField> {
    for (let at = begin; at < end; ) {
      // A key and the length behind it take up to ten bytes each.
      if (at < this.#windowBegin || Math.min(at + 20, end) > this.#windowBegin + this.#window.byteLength) {
        this.#windowBegin = at;
        this.#window = await this.#source.read(at, Math.min(windowSize, this.#size - at));
      }
      const field = this.#field(at, end);
      yield field;
      at = field.end;
    }
  }

  /** The content of a field; from a file in memory of its own. */
  async bytes({ begin, end }: { begin: number; end: number }): Promise<Uint8Array> {
    const from = begin - this.#windowBegin;
    const to = end - this.#windowBegin;
    // Small tensors mostly came with their header. A copy, since a view would keep the window.
    if (from >= 0 && to <= this.#window.byteLength) return new Uint8Array(this.#window.subarray(from, to));
    return this.#source.read(begin, end - begin);
  }

  /** The content of a text field; `what` is its name in errors. */
  async text(field: ProtobufField, what: string): Promise<string> {
    const length = field.end - field.begin;
    if (field.wire !== 2) throw this.bad(`${what} at byte ${field.begin} is a number, expected text`);
    if (length > longestText)
      throw this.bad(`${what} at byte ${field.begin} has ${length} bytes, at most ${longestText} are read`);
    try {
      return utf8.decode(await this.bytes(field));
    } catch (cause) {
      if (cause instanceof BoxwrightError) throw cause;
      throw this.bad(`${what} at byte ${field.begin} is not UTF-8`, cause);
    }
  }

  /** The whole numbers of a repeated field, of which `field` is one or, packed, many. */
  async numbers(field: ProtobufField, most: number, what: string): Promise<number[]> {
    if (field.wire === 0) return [field.value];
    const bytes = await this.packed(field, most * 10, what);
    const found: number[] = [];
    for (let at = 0; at < bytes.byteLength; ) {
      const { value, end } = varint(bytes, at, bytes.byteLength) ?? {};
      if (value === undefined || found.length === most) throw this.bad(`${what} at byte ${field.begin} is damaged`);
      found.push(value);
      at = end!;
    }
    return found;
  }

  /** Bytes of a packed field, of which there may be at most `most`. */
  async packed(field: ProtobufField, most: number, what: string): Promise<Uint8Array> {
    const length = field.end - field.begin;
    if (field.wire === 2 && length <= most) return this.bytes(field);
    const found = field.wire === 2 ? `has ${length} bytes, expected at most ${most}` : 'is not packed';
    throw this.bad(`${what} at byte ${field.begin} ${found}`);
  }

  /** An error about this file. */
  bad(problem: string, cause?: unknown): BoxwrightError {
    return new BoxwrightError('weights', `${this.name}: ${problem}.`, cause === undefined ? undefined : { cause });
  }

  #field(at: number, messageEnd: number): ProtobufField {
    const window = this.#window;
    const base = this.#windowBegin;
    const limit = Math.min(window.byteLength, messageEnd - base);
    const key = varint(window, at - base, limit);
    if (!key) throw this.#damaged(at, 'does not begin with a key');
    const number = Math.floor(key.value / 8);
    const wire = key.value % 8;
    if (number < 1 || number >= 2 ** 29 || (wire !== 0 && wire !== 1 && wire !== 2 && wire !== 5)) {
      const problem = `has number ${number} and wire type ${wire}, which no field here has`;
      // Where not even the first is one, the file is more likely of another kind.
      if (at === 0) throw this.bad(`another kind of file than expected, or damaged: the field at byte 0 ${problem}`);
      throw this.#damaged(at, problem);
    }
    const begin = base + key.end;
    if (wire === 1 || wire === 5)
      return this.#inside({ number, wire, value: 0, begin, end: begin + (wire === 1 ? 8 : 4) }, at, messageEnd);
    const found = varint(window, key.end, limit);
    if (!found)
      throw this.#damaged(at, wire === 0 ? 'has a number that does not end' : 'has a length that does not end');
    if (wire === 0) return { number, wire, value: found.value, begin, end: base + found.end };
    const content = base + found.end;
    return this.#inside({ number, wire, value: 0, begin: content, end: content + found.value }, at, messageEnd);
  }

  #inside(field: ProtobufField, at: number, messageEnd: number): ProtobufField {
    if (field.end <= messageEnd) return field;
    const length = field.end - field.begin;
    const whole = messageEnd === this.#size ? 'the file' : 'its message';
    throw this.#damaged(at, `has ${length} bytes of content, but ${whole} ends ${messageEnd - field.begin} bytes on`);
  }

  #damaged(at: number, problem: string): BoxwrightError {
    return this.bad(`damaged or truncated: the field at byte ${at} ${problem}. Download or copy the file again`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A number of variable length, seven bits a byte and at most ten bytes; undefined if it does not end before `limit`. */
export function varint(bytes: Uint8Array, at: number, limit: number): { value: number; end: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let end = at; end < limit && end < at + 10; factor *= 128) {
    const byte = bytes[end++];
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end };
  }
  return undefined;
}
