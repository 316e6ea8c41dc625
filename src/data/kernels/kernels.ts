import { pixelsWasm } from './pixels-wasm.js';

/** As far as it is needed here; TypeScript's own declaration comes with the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** The loops of kernels/pixels.ts; numbers are addresses unless that file says otherwise. */
interface PixelKernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  mixColumnsBytes(
    source: number,
    first: number,
    second: number,
    firstWeight: number,
    secondWeight: number,
    count: number,
    out: number,
  ): void;
  mixRowsBytes(upper: number, lower: number, wa: number, wb: number, count: number, out: number): void;
  distort(
    source: number,
    columns: number,
    count: number,
    brightness: number,
    before: number,
    after: number,
    saturation: number,
    turnBy: number,
    shift: number,
    order: number,
    out: number,
  ): void;
  mixColumnsFloats(source: number, first: number, second: number, share: number, count: number, out: number): void;
  mixRowsFloats(upper: number, lower: number, share: number, count: number, out: number): void;
  mapBytes(pixels: number, length: number, table: number): void;
  sumGreys(pixels: number, count: number, table: number): number;
  mixGreys(pixels: number, count: number, table: number, scaled: number, greys: number): void;
  mixRowsToFloats(upper: number, lower: number, share: number, count: number, out: number): void;
}

/** Vector instructions, which every runtime that Node.js 20 runs on has. */
export const kernels = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(pixelsWasm, 'base64')))
  .exports as unknown as PixelKernels;

/** The memory's first bytes are the compiler's. */
const START = 1024;

/** The memory as bytes, and the addresses of the pieces asked for. */
export interface Scratch {
  readonly bytes: Uint8Array;
  readonly at: readonly number[];
}

/**
 * Lays out pieces of so many bytes one after the other, each with room behind for a whole vector. They are the caller's
 * until the next call, so kernels are used and read before anything is awaited.
 */
export function layOut(...lengths: readonly number[]): Scratch {
  let next = START;
  const at = lengths.map((length) => {
    const address = next;
    next += (length + 31) & ~15;
    return address;
  });
  const missing = next - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / 65536));
  return { bytes: new Uint8Array(kernels.memory.buffer), at };
}

/** Puts numbers at an address. */
export function put({ bytes }: Scratch, address: number, values: Int32Array | Float32Array | Float64Array): void {
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address);
}

/** Bytes of a picture that are brought into the kernels' memory at once; of larger ones each row when it is read. */
const AT_ONCE = 4 * 2 ** 20;

/** Rows of a picture in the kernels' memory. */
export interface RowSource {
  /** Bytes to be laid out for it. */
  readonly length: number;
  /** To be called with the address of these bytes before any row is asked for. */
  open(scratch: Scratch, address: number): (row: number) => number;
}

/**
 * The rows from `top` to `bottom` of interleaved RGB bytes, `width` pixels each, as far as columns `left` to `right`: all
 * of them at once if they are few enough, which is faster. A row is asked for by its number in the picture, and its
 * address is that of column `left`.
 */
export function rowsOf(
  data: Uint8Array,
  width: number,
  {
    left,
    top,
    right,
    bottom,
  }: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number },
): RowSource {
  const stride = width * 3;
  const whole = Math.max(bottom - top, 0) * stride;
  if (whole <= AT_ONCE) {
    return {
      length: whole,
      open: ({ bytes }, address) => {
        bytes.set(data.subarray(top * stride, top * stride + whole), address);
        return (row) => address + (row - top) * stride + left * 3;
      },
    };
  }
  const span = (right - left) * 3;
  return {
    length: span,
    open:
      ({ bytes }, address) =>
      (row) => {
        const from = row * stride + left * 3;
        bytes.set(data.subarray(from, from + span), address);
        return address;
      },
  };
}
