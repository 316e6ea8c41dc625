import { BoxwrightError } from '../src/errors.js';

/** A reader that does what no reader may, one fault a sample, to show that the harness finds each. Not among the targets. */
export const faulty = {
  samples: async () => faults.map((_, i) => Uint8Array.of(i)),
  async read([which]: Uint8Array, file: string) {
    if (which === undefined) throw new BoxwrightError('weights', `${file}: empty`);
    return faults[which](file);
  },
};

const nothing = { tensors: new Map() };

const faults: readonly ((file: string) => Promise<typeof nothing>)[] = [
  async () => nothing, // the only one that is right
  async () => {
    throw new TypeError('of the reader');
  },
  async () => {
    throw new BoxwrightError('weights', 'no name in it');
  },
  async () => {
    new Uint8Array(2 ** 30); // believes a length; nobody touches the pages
    return nothing;
  },
  async (file) => {
    try {
      new Float64Array(2 ** 27);
    } catch (cause) {
      throw new BoxwrightError('weights', `${file}: no memory`, { cause });
    }
    return nothing;
  },
  async () => {
    for (const end = performance.now() + 1e9; performance.now() < end; );
    return nothing;
  },
  async () => {
    for (const held: number[][] = []; ; ) held.push(new Array(1e5).fill(held.length));
  },
  async () => ({ tensors: new Map([['short', { dtype: 'float32', shape: [3], data: new Float32Array(2) }]]) }),
];
