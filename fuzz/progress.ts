/** How far a child is. It keeps this in a file, so that it can be read when the process is gone. */
export interface Progress {
  /** Case under way; -1 before the first. */
  number: number;
  /** Cases that gave tensors. */
  read: number;
  /** Cases that gave a BoxwrightError, or broke a rule. */
  refused: number;
  /** Longest case, milliseconds of processor time. */
  slowest: number;
  /** Most bytes of arrays that a case asked for. */
  mostMemory: number;
}

export function progressBytes({ number, read, refused, slowest, mostMemory }: Progress): Uint8Array {
  return new Uint8Array(Float64Array.of(number, read, refused, slowest, mostMemory).buffer);
}

export function progressFrom(bytes: Uint8Array): Progress {
  const [number, read, refused, slowest, mostMemory] = new Float64Array(new Uint8Array(bytes).buffer);
  return { number, read, refused, slowest, mostMemory };
}
