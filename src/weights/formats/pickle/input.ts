import type { ByteSource } from '../../byte-source.js';
import { PickleProblem, Span } from './values.js';

/** Strings longer than this are not read with the pickle, see `Span`. */
const longest = 65536;

/** What one opcode takes at most: two lines, or a string and its length. */
const lookAhead = 2 * longest + 64;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The bytes of a pickle from first to last, in a window that moves over the source. */
export class PickleInput {
  readonly source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  /** Where the window begins in the source. */
  #start: number;
  /** Where in the window the next byte lies; behind its end after a long string was skipped. */
  #at = 0;
  /** Bytes of short strings that may still be read. */
  #textLeft: number;

  constructor(source: ByteSource, position: number, textBytes: number) {
    this.source = source;
    this.#start = position;
    this.#textLeft = textBytes;
  }

  /** Of the next byte, in the source. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** Whether what one opcode may need is in the window; if not, `fill` first. */
  get isFilled(): boolean {
    return this.#window.length - this.#at >= lookAhead || this.#start + this.#window.length === this.source.size;
  }

  async fill(): Promise<void> {
    const start = Math.min(this.position, this.source.size);
    this.#window = await this.source.read(start, Math.min(4 * lookAhead, this.source.size - start));
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#start = start;
    this.#at = 0;
  }

  /** The next `length` bytes, which stay valid until `fill`. */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#window.subarray(at, at + length);
  }

  byte(): number {
    return this.#window[this.#advance(1)];
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A length of eight bytes; one that no file could have comes out inexact, but as large. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Of eight bytes, big-endian. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A signed integer of `length` bytes; a bigint where a number would not be exact. */
  integer(length: number): number | bigint {
    // Python's numbers are unbounded, a checkpoint's are not.
    if (length > 128) throw new PickleProblem(`an integer of ${length} bytes; up to 128 are read`);
    if (length === 0) return 0;
    const hex = Buffer.from(this.#take(length)).reverse().toString('hex');
    return simplest(BigInt.asIntN(8 * length, BigInt(`0x${hex}`)));
  }

  /** Text up to a line feed, as latin1. */
  line(): string {
    const end = this.#window.indexOf(10, this.#at);
    if (end < 0 || end - this.#at > longest) {
      throw new PickleProblem(
        `a line of more than ${longest} bytes, or the file ends within it; arrays as lines of text (protocol 0) are not read, write the file with protocol 2 or later`,
      );
    }
    const text = Buffer.from(this.#take(end - this.#at)).toString('latin1');
    this.#at++;
    return text;
  }

  bytes(length: number): Uint8Array | Span {
    if (length > longest) return this.#span(length, 'bytes');
    return new Uint8Array(this.#take(length));
  }

  text(length: number): string | Span {
    if (length > longest) return this.#span(length, 'utf8');
    const bytes = this.#take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new PickleProblem('a text is not UTF-8');
    }
  }

  /** A string of Python 2, which has bytes and means text, or the other way round: one character a byte. */
  latin1(length: number): string | Span {
    if (length > longest) return this.#span(length, 'latin1');
    return Buffer.from(this.#take(length)).toString('latin1');
  }

  /** Goes over `length` bytes and gives where in the window they begin. */
  #advance(length: number): number {
    const at = this.#at;
    if (!(length <= this.#window.length - at)) {
      const left = Math.max(0, this.source.size - this.position);
      throw new PickleProblem(`truncated: ${length} more bytes are needed, ${left} are left`);
    }
    this.#at += length;
    return at;
  }

  #take(length: number): Uint8Array {
    this.#textLeft -= length;
    if (this.#textLeft < 0) throw new PickleProblem('more text than any checkpoint has');
    return this.take(length);
  }

  #span(length: number, encoding: Span['encoding']): Span {
    const { position } = this;
    if (!(length <= this.source.size - position)) {
      throw new PickleProblem(`truncated: a string of ${length} bytes, ${this.source.size - position} are left`);
    }
    this.#at += length;
    return new Span(this.source, position, length, encoding);
  }
}

/** A number where it is exact. */
export function simplest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
