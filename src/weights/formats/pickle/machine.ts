import { BoxwrightError } from '../../../errors.js';
import type { ByteSource } from '../../byte-source.js';
import { PickleInput, simplest } from './input.js';
import { excerpt, Global, PickleDict, PickleProblem, Stateful } from './values.js';

/** What the names in a pickle stand for. */
export interface PickleWords {
  /** @throws PickleProblem for one that is not allowed. */
  find(module: string, name: string): Global;
  /** What a persistent id means; without it, such ids are errors. */
  persistent?(id: unknown): unknown;
}

/** One pickle of a file. */
export interface Unpickled {
  /** Lists, tuples and sets are arrays; text, numbers (bigint where inexact), bytes and `values.ts`'s classes. May hold itself. */
  readonly value: unknown;
  /** Where the pickle ends, that is the byte behind it. */
  readonly end: number;
}

/** A tensor of PyTorch takes 45, so this is enough for 20 000; a hostile file is done with in a second and 100 MB. */
const mostSteps = 1_000_000;
const mostText = 2 ** 26;

/**
 * Reads one pickle, of any protocol. It builds data and nothing else: globals are looked up among `words`, never
 * imported, and time and memory are bounded by the number of opcodes. Strings of more than 64 KiB stay in the source.
 *
 * @throws BoxwrightError `weights` with the byte and what is wrong there.
 */
export async function readPickle(source: ByteSource, position: number, words: PickleWords): Promise<Unpickled> {
  const input = new PickleInput(source, position, mostText);
  const machine = new Machine(input, words);
  let opcodeAt = position;
  try {
    for (let steps = 0; !machine.done; steps++) {
      if (!input.isFilled) await input.fill();
      if (steps === mostSteps) throw new PickleProblem(`more than ${mostSteps} steps, expected a file of weights`);
      opcodeAt = input.position;
      machine.step();
    }
  } catch (cause) {
    if (!(cause instanceof PickleProblem)) throw cause;
    throw new BoxwrightError('weights', `${source.name}: pickle, byte ${opcodeAt}: ${cause.message}`, { cause });
  }
  return { value: machine.result, end: input.position };
}

/** Of an opcode that puts nothing onto the stack. */
const nothing = Symbol('nothing');

class Machine {
  done = false;
  result: unknown;
  readonly #input: PickleInput;
  readonly #words: PickleWords;
  readonly #stack: unknown[] = [];
  /** Heights of the stack at which marks lie. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(input: PickleInput, words: PickleWords) {
    this.#input = input;
    this.#words = words;
  }

  step(): void {
    const made = this.#make(this.#input.byte());
    if (made !== nothing) this.#stack.push(made);
  }

  /** Does what an opcode says and gives what goes onto the stack for it, if anything. */
  #make(opcode: number): unknown {
    const input = this.#input;
    // The letters are Python's (pickletools.py has the list).
    switch (opcode) {
      case 0x80: // PROTO
        return this.#protocol(input.byte());
      case 0x95: // FRAME: a hint for reading ahead
        input.take(8);
        return nothing;
      case 0x2e: // .
        this.result = this.#pop();
        this.done = true;
        return nothing;

      case 0x28: // (
        this.#marks.push(this.#stack.length);
        return nothing;
      case 0x30: // 0
        if (this.#stack.length === this.#marks.at(-1)) this.#marks.pop();
        else this.#pop();
        return nothing;
      case 0x31: // 1
        this.#popMark();
        return nothing;
      case 0x32: // 2
        return this.#top();

      case 0x4e: // N
        return null;
      case 0x88:
        return true;
      case 0x89:
        return false;
      case 0x49: // I
        return boolOrInteger(input.line());
      case 0x4c: // L
        return decimal(input.line().replace(/L$/, ''));
      case 0x4a: // J
        return input.int32();
      case 0x4b: // K
        return input.byte();
      case 0x4d: // M
        return input.uint16();
      case 0x8a: // LONG1
        return input.integer(input.byte());
      case 0x8b: // LONG4
        return input.integer(positive(input.int32()));
      case 0x46: // F
        return float(input.line());
      case 0x47: // G
        return input.float64();

      case 0x53: // S
        return quoted(input.line());
      case 0x54: // T
        return input.latin1(positive(input.int32()));
      case 0x55: // U
        return input.latin1(input.byte());
      case 0x56: // V
        return unescaped(input.line());
      case 0x58: // X
        return input.text(input.uint32());
      case 0x8c:
        return input.text(input.byte());
      case 0x8d:
        return input.text(input.uint64());
      case 0x42: // B
        return input.bytes(input.uint32());
      case 0x43: // C
        return input.bytes(input.byte());
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return input.bytes(input.uint64());

      case 0x29: // )
      case 0x5d: // ]
      case 0x8f: // EMPTY_SET
        return [];
      case 0x6c: // l
      case 0x74: // t
      case 0x91: // FROZENSET
        return this.#popMark();
      case 0x85:
        return this.#popItems(1);
      case 0x86:
        return this.#popItems(2);
      case 0x87:
        return this.#popItems(3);
      case 0x7d: // }
        return new PickleDict();
      case 0x64: // d
        return withPairs(new PickleDict(), this.#popMark());
      case 0x61: // a
        return this.#append(this.#popItems(1));
      case 0x65: // e
      case 0x90: // ADDITEMS
        return this.#append(this.#popMark());
      case 0x73: // s
        return this.#setItems(this.#popItems(2));
      case 0x75: // u
        return this.#setItems(this.#popMark());

      case 0x67: // g
        return this.#get(index(input.line()));
      case 0x68: // h
        return this.#get(input.byte());
      case 0x6a: // j
        return this.#get(input.uint32());
      case 0x70: // p
        return this.#put(index(input.line()));
      case 0x71: // q
        return this.#put(input.byte());
      case 0x72: // r
        return this.#put(input.uint32());
      case 0x94: // MEMOIZE
        return this.#put(this.#memo.size);

      case 0x63: // c
        return this.#words.find(input.line(), input.line());
      case 0x93: {
        const [module, name] = this.#popItems(2);
        if (typeof module !== 'string' || typeof name !== 'string') throw new PickleProblem('a global without a name');
        return this.#words.find(module, name);
      }
      case 0x52: // R
      case 0x81: {
        const [callee, args] = this.#popItems(2);
        return this.#call(callee, args);
      }
      case 0x92: {
        const [callee, args, named] = this.#popItems(3);
        if (!(named instanceof PickleDict) || named.size > 0) throw new PickleProblem('an object with named arguments');
        return this.#call(callee, args);
      }
      case 0x69: {
        const callee = this.#words.find(input.line(), input.line());
        return this.#call(callee, this.#popMark());
      }
      case 0x6f: {
        const [callee, ...args] = this.#popMark();
        return this.#call(callee, args);
      }
      case 0x62: {
        const [object, state] = this.#popItems(2);
        if (!(object instanceof Stateful)) throw new PickleProblem('a state for something that takes none');
        object.setState(state);
        return object;
      }
      case 0x50: // P
        return this.#persistent(input.line());
      case 0x51: // Q
        return this.#persistent(this.#pop());
      default:
        throw new PickleProblem(`unknown or unsupported opcode 0x${opcode.toString(16).padStart(2, '0')}`);
    }
  }

  #protocol(version: number): typeof nothing {
    if (version > 5) throw new PickleProblem(`protocol ${version}; protocols 0 to 5 are read`);
    return nothing;
  }

  /** The height that pops stop at. */
  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #top(): unknown {
    if (this.#stack.length <= this.#floor()) throw new PickleProblem('the stack is empty');
    return this.#stack.at(-1);
  }

  #pop(): unknown {
    this.#top();
    return this.#stack.pop();
  }

  #popItems(count: number): unknown[] {
    if (this.#stack.length - count < this.#floor()) throw new PickleProblem('the stack is empty');
    return this.#stack.splice(this.#stack.length - count);
  }

  #popMark(): unknown[] {
    const height = this.#marks.pop();
    if (height === undefined) throw new PickleProblem('there is no mark');
    return this.#stack.splice(height);
  }

  #append(items: readonly unknown[]): typeof nothing {
    const list = this.#top();
    if (!Array.isArray(list)) throw new PickleProblem('items for something that is no list');
    for (const item of items) list.push(item);
    return nothing;
  }

  #setItems(items: readonly unknown[]): typeof nothing {
    const dict = this.#top();
    if (!(dict instanceof PickleDict)) throw new PickleProblem('keys and values for something that is no dict');
    withPairs(dict, items);
    return nothing;
  }

  #get(slot: number): unknown {
    if (!this.#memo.has(slot)) throw new PickleProblem(`nothing was remembered as ${slot}`);
    return this.#memo.get(slot);
  }

  #put(slot: number): typeof nothing {
    this.#memo.set(slot, this.#top());
    return nothing;
  }

  #call(callee: unknown, args: unknown): unknown {
    if (!(callee instanceof Global) || !Array.isArray(args)) {
      throw new PickleProblem('an object made by something that is no class or function');
    }
    if (!callee.call) throw new PickleProblem(`${callee.name} makes no object that weights are made of`);
    return callee.call(args);
  }

  #persistent(id: unknown): unknown {
    if (!this.#words.persistent) throw new PickleProblem('a reference to data outside the pickle');
    return this.#words.persistent(id);
  }
}

function withPairs(dict: PickleDict, items: readonly unknown[]): PickleDict {
  if (items.length % 2 !== 0) throw new PickleProblem('a key without a value');
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  return dict;
}

function positive(length: number): number {
  if (length < 0) throw new PickleProblem(`a length of ${length}`);
  return length;
}

function decimal(line: string): number | bigint {
  if (!/^-?\d{1,310}$/.test(line.trim())) throw new PickleProblem(`${excerpt(line)} is no integer`);
  return simplest(BigInt(line.trim()));
}

/** Protocols 0 and 1 write True as 01 and False as 00. */
function boolOrInteger(line: string): boolean | number | bigint {
  return line === '01' ? true : line === '00' ? false : decimal(line);
}

function float(line: string): number {
  const special: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
  if (Object.hasOwn(special, line)) return special[line];
  if (!/^-?\d+(\.\d*)?(e[-+]?\d+)?$/i.test(line)) throw new PickleProblem(`${excerpt(line)} is no number`);
  return Number(line);
}

function index(line: string): number {
  if (!/^\d{1,15}$/.test(line)) throw new PickleProblem(`${excerpt(line)} is no place of the memo`);
  return Number(line);
}

/** A string as Python 2's repr() writes it. */
function quoted(line: string): string {
  const [, , text] = /^(['"])(.*)\1$/s.exec(line) ?? [];
  if (text === undefined) throw new PickleProblem(`${excerpt(line)} is no quoted string`);
  const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', a: '\x07' };
  return text.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (code.length === 3 && code[0] === 'x') return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    return letters[code] ?? code;
  });
}

/** Python's raw-unicode-escape. */
function unescaped(line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U(00[01][0-9a-fA-F]{5})/g, (whole, short?: string, long?: string) => {
    const point = Number.parseInt(short ?? long ?? '', 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
