import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

/** What one check found. */
export interface Finding {
  readonly check: string;
  /** `doubtful` works, but slowly or not with everything. */
  readonly state: 'fine' | 'doubtful' | 'failed';
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

type Check = () => Finding | Promise<Finding>;

const gibi = 2 ** 30;
const inGibi = (bytes: number) => `${(bytes / gibi).toFixed(1)} GiB`;

const checks: Readonly<Record<string, Check>> = {
  'Node.js': node,
  Platform: platform,
  Processor: processor,
  Memory: memory,
  Disk: disk,
  Pictures: pictures,
  Engine: engine,
  Providers: providers,
};

/** Checks the machine, one thing after the other. A check that breaks is a finding, not an error. */
export async function* checkMachine(): AsyncGenerator<Finding> {
  for (const [check, run] of Object.entries(checks)) {
    try {
      yield await run();
    } catch (error) {
      const advice = 'Install the packages again: npm ci. If it stays, please report it with this line.';
      yield { check, state: 'failed', found: (error as Error).message, advice };
    }
  }
}

function node(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNew = major > 20 || (major === 20 && minor >= 19);
  const about = { check: 'Node.js', found: process.version };
  return isNew
    ? { ...about, state: 'fine' }
    : { ...about, state: 'failed', advice: 'boxwright needs 20.19 or newer: https://nodejs.org.' };
}

/** Where onnxruntime-node has binaries. */
const supported = ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64'];

function platform(): Finding {
  const name = `${process.platform} ${process.arch}`;
  const about = { check: 'Platform', found: name };
  return supported.includes(name)
    ? { ...about, state: 'fine' }
    : { ...about, state: 'failed', advice: `ONNX Runtime's npm package runs on ${supported.join(', ')}.` };
}

/** Wide arithmetic decides the speed on x64; only Linux tells of it in a file. */
function processor(): Finding {
  const cores = availableParallelism();
  const found = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
  if (process.platform !== 'linux' || process.arch !== 'x64') return { check: 'Processor', state: 'fine', found };
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  const wide = flags.includes('avx512f') ? 'AVX-512' : flags.includes('avx2') ? 'AVX2' : undefined;
  if (wide) return { check: 'Processor', state: 'fine', found: `${found}, ${wide}` };
  const advice = 'Without AVX2 everything takes several times as long.';
  return { check: 'Processor', state: 'doubtful', found, advice };
}

/** Below this a step of the smallest published model in a batch of four does not fit. */
const littleMemory = 4 * gibi;

function memory(): Finding {
  // A container's limit, where there is one.
  const limit = process.constrainedMemory?.() || totalmem();
  const total = Math.min(limit, totalmem());
  const found = `${inGibi(total)}, ${inGibi(Math.min(total, freemem()))} free`;
  if (total >= littleMemory) return { check: 'Memory', state: 'fine', found };
  const advice = 'Train a small model (--model refinedet-tiny-320) or in small batches (--batch 1 --accumulate 4).';
  return { check: 'Memory', state: 'doubtful', found, advice };
}

const littleSpace = 2 * gibi;

async function disk(): Promise<Finding> {
  const { bavail, bsize } = await statfs('.');
  const found = `${inGibi(bavail * bsize)} free in this folder`;
  if (bavail * bsize >= littleSpace) return { check: 'Disk', state: 'fine', found };
  const advice = 'A run keeps two checkpoints of up to 1 GiB each: make room, or choose another folder with --out.';
  return { check: 'Disk', state: 'doubtful', found, advice };
}

async function pictures(): Promise<Finding> {
  const { default: sharp } = await import('sharp');
  const grey = { width: 8, height: 8, channels: 3, background: { r: 128, g: 128, b: 128 } } as const;
  const jpeg = await sharp({ create: grey }).jpeg().toBuffer();
  const { data } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const found = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
  const isRight = data.length === 8 * 8 * 3 && data.every((value) => Math.abs(value - 128) <= 2);
  if (isRight) return { check: 'Pictures', state: 'fine', found };
  return { check: 'Pictures', state: 'failed', found: `${found}: a JPEG file came back changed`, advice: reinstall };
}

const reinstall = 'Install sharp again: npm install sharp.';

/** A product of matrices whose result is known, timed. */
async function engine(): Promise<Finding> {
  const [{ Engine, writeLowered }, { input, matMul }] = await Promise.all([
    import('../engine/index.js'),
    import('../graph/index.js'),
  ]);
  const size = 1024;
  const [a, b] = ['a', 'b'].map((name) => input(name, 'float32', [size, size]));
  await using running = await Engine.start();
  const { bytes } = writeLowered({ name: 'doctor', outputs: { y: matMul(a, b) } }, { provider: 'cpu', form: 'fast' });
  const session = await running.load(bytes);
  const ones = { dtype: 'float32', shape: [size, size], data: new Float32Array(size * size).fill(1) } as const;
  let best = Number.POSITIVE_INFINITY;
  let right = true;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    const { y } = await session.run({ a: ones, b: ones });
    best = Math.min(best, performance.now() - start);
    right &&= (y.data as Float32Array).every((value) => value === size);
  }
  const found = `ONNX Runtime, ${((2 * size ** 3) / best / 1e6).toFixed(0)} GFLOP/s in float32 just now`;
  if (right) return { check: 'Engine', state: 'fine', found };
  return { check: 'Engine', state: 'failed', found: `${found}: wrong results`, advice: 'Please report this machine.' };
}

/** ONNX Runtime lists what it was built with; whether libraries and a device are there shows only when a model is loaded. */
async function providers(): Promise<Finding> {
  const { availableProviders } = await import('../engine/index.js');
  const others = (await availableProviders()).filter((name) => name !== 'cpu');
  const untried = others.length === 0 ? '' : `; built in but not tried: ${others.join(', ')}`;
  return { check: 'Providers', state: 'fine', found: `cpu${untried}` };
}
