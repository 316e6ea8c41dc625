/** What one case may take. */
export const limits = {
  /** Of processor time. */
  milliseconds: 1000,
  /** Of memory, 256 MB. */
  bytes: 256 * 2 ** 20,
} as const;

let asked = 0;

/** Bytes that arrays were made for since the last call. */
export function bytesAskedFor(): number {
  const sum = asked;
  asked = 0;
  return sum;
}

function count(bytes: number): void {
  if (!(bytes > 0)) return;
  asked += bytes;
  // Thrown before the memory is taken, so that the process lives to tell; the sum says so even if this is caught.
  if (asked > limits.bytes) throw new RangeError(`more than ${limits.bytes} bytes asked for`);
}

/**
 * Counts the memory that arrays are made for from now on. The system would not show it: pages that are never
 * touched do not count as resident, so a reader that believes a length in a file would look thrifty.
 */
export function countMemory(): void {
  const views = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array];
  for (const View of [...views, BigInt64Array, BigUint64Array, Uint8ClampedArray]) {
    const counting = new Proxy(View, {
      construct(target, args: [unknown], self) {
        const [first] = args;
        const length = typeof first === 'number' ? first : ((first as { length?: number } | undefined)?.length ?? 0);
        if (!(first instanceof ArrayBuffer)) count(length * View.BYTES_PER_ELEMENT);
        return Reflect.construct(target, args, self) as object;
      },
    });
    Object.defineProperty(globalThis, View.name, { value: counting });
  }
  const Plain = ArrayBuffer;
  globalThis.ArrayBuffer = new Proxy(Plain, {
    construct(target, args: [number], self) {
      count(args[0]);
      return Reflect.construct(target, args, self) as object;
    },
  });
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const make = Buffer[name] as (size: number, ...rest: unknown[]) => Buffer;
    Object.defineProperty(Buffer, name, {
      value: (size: number, ...rest: unknown[]) => {
        count(size);
        return make.call(Buffer, size, ...rest);
      },
    });
  }
}
