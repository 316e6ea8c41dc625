import { closeSync, openSync, readSync } from 'node:fs';
import { BoxwrightError } from '../../errors.js';
import { nearestDecimal } from './decimal.js';

const chunkBytes = 2 ** 18;
/** As long as a number gets, unless somebody plays tricks. */
const numberBytes = 64;
/** Of the keys that readers look for. */
const longestKey = 64;

const [tab, newline, carriageReturn, space, quote, comma] = [9, 10, 13, 32, 34, 44];
const [plus, minus, point, zero, nine, colon] = [43, 45, 46, 48, 57, 58];
const [upperI, upperN, backslash] = [73, 78, 92];
const [openList, closeList, openObject, closeObject] = [91, 93, 123, 125];

/** Keys that a reader looks for, as bytes. */
export type Keys = readonly Uint8Array[];

/** Keys of ASCII letters, each at most 62 long, to be looked for. */
export function keysOf(...names: string[]): Keys {
  return names.map((name) => Buffer.from(name));
}

/**
 * A JSON file of any size, read value by value in the order it has them: a quarter of a megabyte of it (or the longest
 * value that is asked for whole) is in memory. Numbers are those that `JSON.parse` gives, to the last bit.
 *
 * Methods throw BoxwrightError `data` that names the file, `place` and the byte where the text is not what it has to be,
 * and `io` where the file cannot be read.
 */
export class JsonBytes {
  readonly file: string;
  /** The list that is being read and the number of the entry, for messages. */
  place = '';
  index = -1;
  readonly #descriptor: number;
  /** Behind the bytes that were read stands a 0, at which every loop stops. */
  #buffer = Buffer.alloc(chunkBytes + 1);
  #at = 0;
  #end = 0;
  /** Bytes of the file before the buffer's first. */
  #before = 0;
  /** Start of what has to stay in the buffer, or −1. */
  #keep = -1;
  #ended = false;

  /** @throws BoxwrightError `io` if there is no such file. */
  constructor(file: string) {
    this.file = file;
    try {
      this.#descriptor = openSync(file, 'r');
    } catch (cause) {
      throw unreadable(file, cause);
    }
    try {
      this.#refill();
    } catch (cause) {
      // Nobody has the object yet whose end would close it: a folder can be opened and not read.
      closeSync(this.#descriptor);
      throw cause;
    }
    // Excel and PowerShell put a byte order mark before UTF-8.
    if (this.#buffer[0] === 0xef && this.#buffer[1] === 0xbb && this.#buffer[2] === 0xbf) this.#at = 3;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#before + this.#at;
  }

  /** What kind of value comes next. */
  kind(): 'list' | 'object' | 'text' | 'number' | 'word' | 'end' {
    const byte = this.#peek();
    if (byte === 0) return 'end';
    if (byte === openList) return 'list';
    if (byte === openObject) return 'object';
    if (byte === quote) return 'text';
    if ((byte >= plus && byte <= nine) || byte === upperN || byte === upperI) return 'number';
    return 'word';
  }

  /** Steps into a list, of which `expected` tells in the message if there is none. */
  openList(expected: string): void {
    this.#expect(openList, `${expected} (a list)`);
  }

  openObject(expected: string): void {
    this.#expect(openObject, `${expected} (an object)`);
  }

  /** Whether the list goes on; `first` before its first entry. */
  nextEntry(first: boolean): boolean {
    return this.#goesOn(first, closeList, "',' or ']'");
  }

  /** The next of an object's keys as its index in `keys`, −1 for any other, −2 where the object ends. */
  nextKey(first: boolean, keys: Keys): number {
    if (!this.#goesOn(first, closeObject, "',' or '}'")) return -2;
    if (this.#peek() !== quote) throw this.unexpected('a key in quotes');
    while (this.#end - this.#at < longestKey && this.#refill());
    const found = this.#keyHere(keys);
    if (found < 0) this.#skipText();
    else this.#at += keys[found].length + 2;
    this.#expect(colon, "':'");
    return found;
  }

  /** The next value, a number. NaN and Infinity, which Python writes, come as they are: check them. */
  number(field: string): number {
    let byte = this.#peek();
    while (this.#end - this.#at < numberBytes && this.#refill());
    const bytes = this.#buffer;
    const start = this.#at;
    let i = start;
    const negative = byte === minus;
    if (negative) byte = bytes[++i];
    const firstDigit = i;
    // The first nine significant digits and the next nine: small integers, which are fast.
    let high = 0;
    let low = 0;
    let lowDigits = 0;
    let pointAt = -1;
    let plain = true;
    for (; ; byte = bytes[++i]) {
      if (byte >= zero && byte <= nine) {
        if (high < 100_000_000) high = (high * 10 + (byte - zero)) | 0;
        else if (lowDigits < 9) {
          low = (low * 10 + (byte - zero)) | 0;
          lowDigits++;
        } else plain = false;
      } else if (byte === point && pointAt < 0) pointAt = i;
      else break;
    }
    const scale = pointAt < 0 ? 0 : i - pointAt - 1;
    // What is not a plain decimal, and what is wrong, is left to JSON's own reader.
    const leadingZero = bytes[firstDigit] === zero && firstDigit + 1 < (pointAt < 0 ? i : pointAt);
    plain &&= i > firstDigit && firstDigit !== pointAt && !leadingZero && !(pointAt >= 0 && scale === 0) && scale <= 22;
    if (!plain || isWordByte(byte) || i === this.#end) return this.#otherNumber(field);
    const value = nearestDecimal(high, low, lowDigits, scale);
    if (Number.isNaN(value)) return this.#otherNumber(field);
    this.#at = i;
    return negative ? -value : value;
  }

  /** The next value, whatever it is, as `JSON.parse` gives it. */
  value(): unknown {
    this.#peek();
    this.#keep = this.#at;
    this.skip();
    const text = this.#buffer.toString('utf8', this.#keep, this.#at);
    this.#keep = -1;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.error(`not valid JSON (${(cause as Error).message})`);
    }
  }

  /** Passes over the next value. */
  skip(): void {
    let depth = 0;
    do {
      const byte = this.#peek();
      if (byte === 0) throw this.cut();
      if (byte === quote) this.#skipText();
      else if (byte === comma || byte === colon) {
        if (depth === 0) throw this.unexpected('a value');
        this.#at++;
      } else {
        if (byte === openList || byte === openObject) depth++;
        else if (byte === closeList || byte === closeObject) {
          if (depth-- === 0) throw this.unexpected('a value');
        } else if (!isWordByte(byte)) throw this.unexpected('a value');
        this.#at++;
        // Numbers and words run on to what separates them.
        if (isWordByte(byte)) this.#skipWord();
      }
    } while (depth > 0);
  }

  /** @throws BoxwrightError unless nothing but spaces is left. */
  end(): void {
    if (this.#peek() !== 0) throw this.unexpected('the end of the file');
  }

  /** An error about the value before, with file and place. */
  error(message: string): BoxwrightError {
    const place = this.place && `, ${this.place}${this.index < 0 ? '' : `[${this.index}]`}`;
    return new BoxwrightError('data', `${this.file}${place}: ${message}`);
  }

  unexpected(expected: string): BoxwrightError {
    const byte = this.#peek();
    if (byte === 0) return this.cut();
    const from = this.#at;
    const text = this.#buffer.toString('utf8', from, Math.min(this.#end, from + 20)).split('\n')[0];
    return this.error(`expected ${expected}, found ${JSON.stringify(text)} at byte ${this.position}`);
  }

  cut(): BoxwrightError {
    return this.error(`the file ends after ${this.position} bytes, in the middle: is it cut off?`);
  }

  /** The next byte that is no space, which stays; 0 at the end. */
  #peek(): number {
    for (;;) {
      const byte = this.#buffer[this.#at];
      if (byte > space) return byte;
      if (this.#at === this.#end) {
        if (!this.#refill()) return 0;
      } else if (byte === space || byte === newline || byte === carriageReturn || byte === tab) this.#at++;
      else throw this.error(`byte ${this.position} is ${byte}, which JSON text does not have: is this a JSON file?`);
    }
  }

  #expect(byte: number, expected: string): void {
    if (this.#peek() !== byte) throw this.unexpected(expected);
    this.#at++;
  }

  #goesOn(first: boolean, close: number, expected: string): boolean {
    const byte = this.#peek();
    if (byte === close) {
      this.#at++;
      return false;
    }
    if (first) return true;
    this.#expect(comma, expected);
    if (this.#peek() === close) throw this.unexpected('another entry behind the comma');
    return true;
  }

  /** Passes over a text in quotes. */
  #skipText(): void {
    this.#at++;
    for (;;) {
      const byte = this.#buffer[this.#at];
      if (byte === quote) break;
      if (byte === backslash) {
        this.#at++;
        if (this.#at < this.#end || this.#refill()) this.#at++;
      } else if (this.#at < this.#end) this.#at++;
      else if (!this.#refill()) throw this.cut();
    }
    this.#at++;
  }

  #skipWord(): void {
    for (;;) {
      if (isWordByte(this.#buffer[this.#at])) this.#at++;
      else if (this.#at < this.#end || !this.#refill()) return;
    }
  }

  /** A number with an exponent, of very many digits or at the very end; NaN and Infinity; or an error. */
  #otherNumber(field: string): number {
    const kind = this.kind();
    if (kind === 'end') throw this.cut();
    if (kind !== 'number') {
      const found =
        kind === 'text' || kind === 'word' ? JSON.stringify(this.value()) : `a${kind === 'list' ? '' : 'n'} ${kind}`;
      throw this.error(`${field} is ${found}, expected a number`);
    }
    this.#keep = this.#at;
    this.#at++;
    this.#skipWord();
    const text = this.#buffer.toString('latin1', this.#keep, this.#at);
    this.#keep = -1;
    if (this.#at === this.#end && this.#ended) throw this.cut();
    if (/^(NaN|-?Infinity|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(text)) return Number(text);
    throw this.error(`${field} is ${text}, expected a number`);
  }

  /** Which of the keys stands here in quotes, or −1. */
  #keyHere(keys: Keys): number {
    const bytes = this.#buffer;
    const from = this.#at + 1;
    for (let k = 0; k < keys.length; k++) {
      const key = keys[k];
      let i = 0;
      while (i < key.length && bytes[from + i] === key[i]) i++;
      if (i === key.length && bytes[from + i] === quote) return k;
    }
    return -1;
  }

  /** Reads on; false at the end of the file. What is behind `#at` or `#keep` stays. */
  #refill(): boolean {
    if (this.#ended) return false;
    const from = this.#keep < 0 ? this.#at : this.#keep;
    if (from === 0 && this.#end + 1 === this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer], 2 * this.#buffer.length);
    } else {
      this.#buffer.copyWithin(0, from, this.#end);
    }
    this.#before += from;
    this.#at -= from;
    this.#end -= from;
    if (this.#keep >= 0) this.#keep = 0;
    const count = this.#read();
    this.#end += count;
    this.#buffer[this.#end] = 0;
    this.#ended = count === 0;
    return count > 0;
  }

  #read(): number {
    try {
      return readSync(this.#descriptor, this.#buffer, this.#end, this.#buffer.length - 1 - this.#end, null);
    } catch (cause) {
      throw unreadable(this.file, cause);
    }
  }
}

/** Whether a byte can be part of a number or a word. */
function isWordByte(byte: number): boolean {
  const letter = byte | 32;
  return (
    (letter >= 97 && letter <= 122) ||
    (byte >= zero && byte <= nine) ||
    byte === point ||
    byte === minus ||
    byte === plus
  );
}

function unreadable(file: string, cause: unknown): BoxwrightError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const reason = missing ? 'there is no such file' : `it cannot be read (${(cause as Error).message})`;
  return new BoxwrightError('io', `${file}: ${reason}`, { cause });
}
