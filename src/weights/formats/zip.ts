import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { BoxwrightError } from '../../errors.js';
import { type ByteSource, memorySource, partOf } from '../byte-source.js';

/** A file in a zip archive. Its name is only ever compared, never used as a path. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes when taken out. */
  readonly size: number;
  /** Bytes in the archive. */
  readonly stored: number;
  readonly compressed: boolean;
  /** Of its own header. */
  readonly position: number;
  /** The first byte that is no longer its own. */
  readonly limit: number;
}

/** An archive whose directory is read. */
export interface Zip {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

const endSize = 22;
const longEndSize = 56;
const locatorSize = 20;
const directoryEntrySize = 46;
const localHeaderSize = 30;
/** Its bytes are read at once: PyTorch's take some 100 a tensor. */
const largestDirectory = 2 ** 26;

const notDamaged = { advice: '' };
const inflate = promisify(inflateRaw);

/**
 * Reads the directory of a zip archive, also one beyond 4 GiB (zip64).
 *
 * @throws BoxwrightError `weights` if it is damaged: a directory that does not fit the file, entries that overlap, lie
 *   outside or have one name, encryption, or parts on other disks.
 */
export async function openZip(source: ByteSource): Promise<Zip> {
  const { position, length, count } = await findDirectory(source);
  if (length > largestDirectory || count * directoryEntrySize > length) {
    throw bad(source, `its directory has ${length} bytes for ${count} entries, which cannot be`);
  }
  const bytes = await source.read(position, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + directoryEntrySize > length || view.getUint32(at, true) !== 0x02014b50) {
      throw bad(source, `entry ${i} of its directory, at byte ${position + at}, is no entry`);
    }
    const { entry, next } = directoryEntry(source, bytes, view, at, position);
    found.push(entry);
    at = next;
  }
  return { source, entries: withLimits(source, found, position) };
}

/**
 * What is in an entry: a part of the archive where it is stored, memory where it is compressed.
 *
 * @param keep told the size before memory is taken for a compressed entry; throws if that is too much
 * @throws BoxwrightError `weights` if the entry's header is damaged or what comes out has another size.
 */
export async function readEntry({ source }: Zip, entry: ZipEntry, keep: (bytes: number) => void): Promise<ByteSource> {
  const where = `entry ${short(entry.name)}`;
  const header = await source.read(entry.position, localHeaderSize);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== 0x04034b50) throw bad(source, `at byte ${entry.position} lies no header of ${where}`);
  const start = entry.position + localHeaderSize + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + entry.stored > entry.limit) {
    throw bad(source, `${where} would reach to byte ${start + entry.stored}, what follows begins at ${entry.limit}`);
  }
  const data = partOf(source, start, entry.stored);
  if (!entry.compressed) return data;
  keep(entry.size);
  try {
    const bytes = await inflate(await data.read(0, entry.stored), { maxOutputLength: Math.max(1, entry.size) });
    if (bytes.byteLength === entry.size) return memorySource(bytes, source.name);
    throw bad(source, `${where} has ${bytes.byteLength} bytes, its directory says ${entry.size}`);
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    throw bad(source, `${where} cannot be decompressed to ${entry.size} bytes (${(cause as Error).message})`, {
      cause,
    });
  }
}

interface Directory {
  readonly position: number;
  readonly length: number;
  readonly count: number;
}

/** Where the directory lies, which the end of the file says. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  // The record at the end may be followed by a comment of up to 64 KiB.
  const tailLength = Math.min(source.size, endSize + 0xffff);
  const tailStart = source.size - tailLength;
  const tail = await source.read(tailStart, tailLength);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = tailLength - endSize; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50 || at + endSize + view.getUint16(at + 20, true) !== tailLength)
      continue;
    const long = await longDirectory(source, tailStart + at);
    const directory = long ?? {
      count: view.getUint16(at + 10, true),
      length: view.getUint32(at + 12, true),
      position: view.getUint32(at + 16, true),
      end: tailStart + at,
    };
    if (directory.position + directory.length > directory.end) {
      const problem = `its directory would reach to byte ${directory.position + directory.length}`;
      throw bad(source, `${problem}, what follows begins at ${directory.end}`);
    }
    return directory;
  }
  throw bad(source, 'truncated: the file begins as a zip archive, but its end has no directory');
}

/** What zip64 says, if the archive is one: its locator lies before the end record. */
async function longDirectory(source: ByteSource, end: number): Promise<(Directory & { end: number }) | undefined> {
  if (end < locatorSize) return undefined;
  const locator = dataView(await source.read(end - locatorSize, locatorSize));
  if (locator.getUint32(0, true) !== 0x07064b50) return undefined;
  const at = Number(locator.getBigUint64(8, true));
  if (at + longEndSize > end - locatorSize) throw bad(source, `its zip64 end record would lie at byte ${at}`);
  const record = dataView(await source.read(at, longEndSize));
  if (record.getUint32(0, true) !== 0x06064b50) throw bad(source, `at byte ${at} lies no zip64 end record`);
  return {
    count: Number(record.getBigUint64(32, true)),
    length: Number(record.getBigUint64(40, true)),
    position: Number(record.getBigUint64(48, true)),
    end: at,
  };
}

function directoryEntry(
  source: ByteSource,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  directory: number,
): { entry: ZipEntry; next: number } {
  const nameEnd = at + directoryEntrySize + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.length) throw bad(source, `the entry of its directory at byte ${directory + at} is cut off`);
  const name = Buffer.from(bytes.subarray(at + directoryEntrySize, nameEnd)).toString('utf8');
  const where = `entry ${short(name)}`;
  const method = view.getUint16(at + 10, true);
  if (view.getUint16(at + 8, true) & 1)
    throw bad(source, `${where} is encrypted, which boxwright does not read`, notDamaged);
  if (method !== 0 && method !== 8) {
    throw bad(source, `${where} is compressed by method ${method}; stored and deflated entries are read`, notDamaged);
  }
  // What does not fit into 32 bits stands in the extra field, in this order.
  let [size, stored, position] = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  const long = longFields(view, nameEnd, extraEnd);
  if (size === 0xffffffff) size = long.shift() ?? Number.NaN;
  if (stored === 0xffffffff) stored = long.shift() ?? Number.NaN;
  if (position === 0xffffffff) position = long.shift() ?? Number.NaN;
  const compressed = method === 8;
  const inside = position + localHeaderSize + (nameEnd - at - directoryEntrySize) + stored <= directory;
  // Deflate cannot shrink by more than 1032.
  const plausible = compressed ? size <= 1032 * stored : size === stored;
  if (!inside || !plausible) {
    const says = `${size} bytes, ${stored} of them in the archive from byte ${position}`;
    throw bad(source, `${where} would have ${says}; the archive's files end at byte ${directory}`);
  }
  return { entry: { name, size, stored, compressed, position, limit: directory }, next };
}

/** Numbers of eight bytes in the extra field of zip64; of those that are there. */
function longFields(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end; ) {
    const length = view.getUint16(at + 2, true);
    if (at + 4 + length > end) return [];
    if (view.getUint16(at, true) === 1) {
      return Array.from({ length: Math.min(3, length >> 3) }, (_, i) =>
        Number(view.getBigUint64(at + 4 + 8 * i, true)),
      );
    }
    at += 4 + length;
  }
  return [];
}

/** Entries by name, each with where the next one begins. */
function withLimits(source: ByteSource, found: readonly ZipEntry[], directory: number): Map<string, ZipEntry> {
  const limits = new Map<ZipEntry, number>();
  let limit = directory;
  for (const entry of [...found].sort((a, b) => b.position - a.position)) {
    if (entry.position + localHeaderSize + entry.stored > limit) {
      throw bad(source, `entry ${short(entry.name)} overlaps what begins at byte ${limit}`);
    }
    limits.set(entry, limit);
    limit = entry.position;
  }
  const entries = new Map<string, ZipEntry>();
  for (const entry of found) {
    if (entries.has(entry.name)) throw bad(source, `two entries have the name ${short(entry.name)}`);
    entries.set(entry.name, { ...entry, limit: limits.get(entry)! });
  }
  return entries;
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A name for a message. */
function short(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

/** @param options `advice` is what to do, with a space before it */
function bad(
  source: ByteSource,
  problem: string,
  { cause, advice = ' Download or copy it again.' }: { cause?: unknown; advice?: string } = {},
): BoxwrightError {
  return new BoxwrightError('weights', `${source.name}: zip: ${problem}.${advice}`, { cause });
}
