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
  sumGreys(pixels: number, count: number): number;
  mixGreys(pixels: number, count: number, factor: number): void;
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

/** Puts 32-bit numbers at an address. */
export function put({ bytes }: Scratch, address: number, values: Int32Array | Float32Array): void {
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address);
}
