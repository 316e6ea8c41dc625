import { BoxwrightError } from '../../errors.js';
import type { ElementType, Tensor } from '../../graph/tensor.js';
import { bytesPerElement, elementCount } from '../../graph/tensor.js';

/** How one element type of a file is held here, and the bytes that an element takes in the file. */
interface StoredType {
  readonly dtype: ElementType;
  readonly bytes: number;
}

/** Where one tensor lies: offsets count from the end of the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly stored: StoredTypeName;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Record<string, string>;
}

/** The element types of the format that boxwright reads; BF16 has no array of its own and is always widened. */
export const storedTypes = {
  F64: { dtype: 'float64', bytes: 8 },
  F32: { dtype: 'float32', bytes: 4 },
  F16: { dtype: 'float16', bytes: 2 },
  BF16: { dtype: 'float32', bytes: 2 },
  I64: { dtype: 'int64', bytes: 8 },
  I32: { dtype: 'int32', bytes: 4 },
  U32: { dtype: 'uint32', bytes: 4 },
  U8: { dtype: 'uint8', bytes: 1 },
  I8: { dtype: 'int8', bytes: 1 },
  BOOL: { dtype: 'bool', bytes: 1 },
} as const satisfies Record<string, StoredType>;

export type StoredTypeName = keyof typeof storedTypes;

const nameInFile: Readonly<Record<ElementType, StoredTypeName>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  int64: 'I64',
  int32: 'I32',
  uint32: 'U32',
  uint8: 'U8',
  int8: 'I8',
  bool: 'BOOL',
};

/** The format's own bound on a header: 100 MB. */
const largestHeader = 100_000_000;

/**
 * Length of the header that follows the first eight bytes.
 * @throws BoxwrightError `weights` if it is beyond the format's bound or the file's `size`, before anything is allocated.
 */
export function headerLength(first: Uint8Array, size: number, file: string): number {
  if (size < 8) {
    throw bad(file, `the file has ${size} bytes, but even an empty safetensors file has 10. ${again}`);
  }
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(largestHeader)) {
    throw bad(
      file,
      `its header would take ${length} bytes, more than the ${largestHeader} that the format allows: this is not a safetensors file`,
    );
  }
  if (8n + length > BigInt(size)) {
    throw bad(file, `truncated: the header ends at byte ${8n + length}, the file has ${size} bytes. ${again}`);
  }
  return Number(length);
}

/**
 * Reads a header and checks that its tensors fill the `dataLength` bytes that follow, without gap or overlap.
 * @throws BoxwrightError `weights` naming the file, the tensor, what was expected and what was found.
 */
export function parseHeader(bytes: Uint8Array, dataLength: number, file: string): Header {
  const json = headerObject(bytes, file);
  const metadata = metadataOf(json.__metadata__, file);
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => entryOf(name, value, file));
  checkLayout(entries, bytes.byteLength, dataLength, file);
  return { entries, metadata };
}

/** The header, padded so that the data starts at a multiple of eight bytes, and the order in which the data follows it. */
export function buildHeader(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; order: readonly string[] } {
  // Wide elements first: every tensor then starts at a multiple of its element's size and can be read in place.
  const order = [...tensors.keys()].sort(
    (a, b) => bytesPerElement(tensors.get(b)!.dtype) - bytesPerElement(tensors.get(a)!.dtype),
  );
  const begins = new Map<string, number>();
  let end = 0;
  for (const name of order) {
    begins.set(name, end);
    end += tensors.get(name)!.data.byteLength;
  }
  const fields = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  for (const [name, { dtype, shape, data }] of tensors) {
    const begin = begins.get(name)!;
    const entry = { dtype: nameInFile[dtype], shape, data_offsets: [begin, begin + data.byteLength] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  }
  const json = Buffer.from(`{${fields.join(',')}}`);
  const length = Math.ceil(json.byteLength / 8) * 8;
  if (length > largestHeader) {
    throw new BoxwrightError(
      'weights',
      `the names and metadata take ${length} bytes, a safetensors header at most ${largestHeader}`,
    );
  }
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  header.set(json, 8);
  return { header, order };
}

const again = 'Download or copy it again.';

function bad(file: string, problem: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('weights', `${file}: ${problem}`, cause === undefined ? undefined : { cause });
}

function headerObject(bytes: Uint8Array, file: string): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw bad(file, 'its header does not start with "{": this is not a safetensors file');
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw bad(file, `its header is not JSON (${cause instanceof Error ? cause.message : cause}). ${again}`, cause);
  }
  return json as Record<string, unknown>;
}

function metadataOf(value: unknown, file: string): Record<string, string> {
  if (value === undefined) return {};
  const strings =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((v) => typeof v === 'string');
  if (!strings)
    throw bad(file, `__metadata__ must map names to strings, found ${JSON.stringify(value)?.slice(0, 100)}`);
  return value as Record<string, string>;
}

function entryOf(name: string, value: unknown, file: string): HeaderEntry {
  const where = `tensor ${JSON.stringify(name)}`;
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(storedTypes, dtype)) {
    throw bad(
      file,
      `${where} has dtype ${JSON.stringify(dtype)}; boxwright reads ${Object.keys(storedTypes).join(', ')}`,
    );
  }
  const stored = dtype as StoredTypeName;
  if (!isCounts(shape)) throw bad(file, `${where} has shape ${JSON.stringify(shape)}, expected whole numbers from 0`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw bad(file, `${where} has data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
  }
  const [begin, end] = offsets;
  const expected = elementCount(shape) * storedTypes[stored].bytes;
  if (end - begin !== expected) {
    throw bad(
      file,
      `${where}, ${dtype} of shape [${shape}], needs ${expected} bytes, but its data_offsets [${begin}, ${end}] hold ${end - begin}`,
    );
  }
  return { name, stored, shape, begin, end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

function checkLayout(entries: readonly HeaderEntry[], headerBytes: number, dataLength: number, file: string): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) {
      const problem = begin > at ? 'leaves a gap after' : 'overlaps';
      throw bad(
        file,
        `tensor ${JSON.stringify(name)} begins at data byte ${begin}, expected ${at}: it ${problem} the tensor before it`,
      );
    }
    at = end;
  }
  if (at > dataLength) {
    throw bad(
      file,
      `truncated: its header describes ${8 + headerBytes + at} bytes, the file has ${8 + headerBytes + dataLength}. ${again}`,
    );
  }
  if (at < dataLength) {
    throw bad(
      file,
      `${dataLength - at} bytes follow the last tensor: its header describes ${8 + headerBytes + at} bytes, the file has ${8 + headerBytes + dataLength}. ${again}`,
    );
  }
}
