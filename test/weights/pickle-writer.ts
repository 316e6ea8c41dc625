// Writes pickles of protocol 2, as Python does, for tests: what they build is said by the functions here.

/** What the writer writes. A string is text, an array a list, a Map a dict. */
export type PickleNode =
  | null
  | boolean
  | number
  | string
  | readonly PickleNode[]
  | Map<PickleNode, PickleNode>
  | Written;

/** Something that writes itself. */
export class Written {
  constructor(readonly write: (out: Pickler) => void) {}
}

export const tuple = (...items: PickleNode[]) =>
  new Written((out) => {
    out.text('(');
    for (const item of items) out.value(item);
    out.text('t');
  });

export const global = (module: string, name: string) => new Written((out) => out.text(`c${module}\n${name}\n`));

/** An object that `callee` makes of `args`, with a state if one is given. */
export const reduce = (callee: PickleNode, args: PickleNode, state?: PickleNode) =>
  new Written((out) => {
    out.value(callee);
    out.value(args);
    out.text('R');
    if (state === undefined) return;
    out.value(state);
    out.text('b');
  });

export const persistent = (id: PickleNode) =>
  new Written((out) => {
    out.value(id);
    out.text('Q');
  });

export const ordered = (entries: Iterable<readonly [PickleNode, PickleNode]>) =>
  new Written((out) => {
    out.value(reduce(global('collections', 'OrderedDict'), tuple()));
    out.items(entries);
  });

/** Bytes as Python 3 writes them (`text`, in UTF-8), as Python 2 does (`string`), or as protocol 3 and later do (`bytes`). */
export type BytesAs = 'text' | 'string' | 'bytes';

export const bytes = (data: Uint8Array, as: BytesAs = 'text') =>
  new Written((out) => {
    if (as !== 'text') {
      out.text(as === 'string' ? 'T' : 'B');
      out.uint32(data.byteLength);
      out.bytes(data);
    } else out.value(reduce(global('_codecs', 'encode'), tuple(latin1(data), 'latin1')));
  });

const latin1 = (data: Uint8Array) =>
  new Written((out) => {
    const text = Buffer.from(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1'));
    out.text('X');
    out.uint32(text.byteLength);
    out.bytes(text);
  });

/** Opcodes as they are, one byte a character. */
export const raw = (opcodes: string) => new Written((out) => out.text(opcodes));

/** One pickle, in pieces, which hold the data of `bytes` without a copy. */
export function pickle(value: PickleNode): Uint8Array[] {
  const out = new Pickler();
  out.text('\x80\x02');
  out.value(value);
  out.text('.');
  return out.pieces;
}

export class Pickler {
  readonly pieces: Uint8Array[] = [];

  bytes(data: Uint8Array): void {
    this.pieces.push(data);
  }

  text(latin1Text: string): void {
    this.bytes(Buffer.from(latin1Text, 'latin1'));
  }

  uint32(value: number): void {
    this.bytes(new Uint8Array(Uint32Array.of(value).buffer));
  }

  value(value: PickleNode): void {
    if (value === null) this.text('N');
    else if (typeof value === 'boolean') this.text(value ? '\x88' : '\x89');
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') {
      this.text('X');
      this.uint32(Buffer.byteLength(value));
      this.bytes(Buffer.from(value));
    } else if (value instanceof Written) value.write(this);
    else if (value instanceof Map) {
      this.text('}');
      this.items(value);
    } else {
      this.text('](');
      for (const item of value) this.value(item);
      this.text('e');
    }
  }

  /** Keys and values for the dict on the stack. */
  items(entries: Iterable<readonly [PickleNode, PickleNode]>): void {
    this.text('(');
    for (const [key, item] of entries) {
      this.value(key);
      this.value(item);
    }
    this.text('u');
  }

  private number(value: number): void {
    const out = Buffer.alloc(11);
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
      out.write('J', 'latin1');
      out.writeInt32LE(value, 1);
      this.bytes(out.subarray(0, 5));
    } else if (Number.isSafeInteger(value)) {
      out.write('\x8a\x08', 'latin1');
      out.writeBigInt64LE(BigInt(value), 2);
      this.bytes(out.subarray(0, 10));
    } else {
      out.write('G', 'latin1');
      out.writeDoubleBE(value, 1);
      this.bytes(out.subarray(0, 9));
    }
  }
}
