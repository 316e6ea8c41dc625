// TensorBoard's event files: records as TFRecord frames them, each an `Event` of tensorflow/core/util/event.proto.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { writeError, writeFileAtomically } from '../../weights/atomic-file.js';
import { crc32c } from './crc32c.js';

/** Scalars of one step. */
export interface ScalarEvent {
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Appends scalars to an event file of its own, which is made with the first of them. */
export class EventFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** A file beside those that are there: TensorBoard reads all of a folder, by rising names. */
  static next(folder: string, now = Date.now()): EventFile {
    const last = eventFiles(folder).map((name) => Number(/^events\.out\.tfevents\.(\d+)/.exec(name)?.[1] ?? 0));
    const seconds = Math.max(Math.floor(now / 1000), ...last.map((number) => number + 1));
    return new EventFile(join(folder, `events.out.tfevents.${seconds}.boxwright`));
  }

  /** @throws BoxwrightError `io` */
  append(event: ScalarEvent): void {
    const records = [scalarRecord(event)];
    if (!existsSync(this.path)) records.unshift(versionRecord(event.wallTime));
    try {
      appendFileSync(this.path, Buffer.concat(records.map(framed)));
    } catch (cause) {
      throw writeError(this.path, cause);
    }
  }
}

/** The event files of a run, oldest first. */
export function eventFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('events.out.tfevents.'))
    .sort();
}

/**
 * Takes the scalars out of a run's event files that are to be written again, and with them a record that a crash cut off.
 *
 * @throws BoxwrightError `io`
 */
export async function rewindEventFiles(folder: string, isKept: (event: ScalarEvent) => boolean): Promise<void> {
  for (const name of eventFiles(folder)) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const records = readRecords(bytes);
    const kept = records.filter((record) => {
      const event = readScalars(record);
      return event === undefined || isKept(event);
    });
    const length = kept.reduce((sum, record) => sum + record.length + 16, 0);
    if (length !== bytes.length) await writeFileAtomically(path, kept.map(framed));
  }
}

/** The records of a TFRecord file, as far as they are whole. */
export function readRecords(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + 12 + length;
    if (end + 4 > bytes.length || view.getUint32(at + 8, true) !== masked(bytes.subarray(at, at + 8))) break;
    const record = bytes.subarray(at + 12, end);
    if (view.getUint32(end, true) !== masked(record)) break;
    records.push(record);
    at = end + 4;
  }
  return records;
}

/** The scalars of a record, or undefined for one of another kind, such as the version at the start. */
export function readScalars(record: Uint8Array): ScalarEvent | undefined {
  const reader = new BinaryReader(record);
  let [wallTime, step] = [0, 0];
  let values: Record<string, number> | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) wallTime = reader.double();
    else if (field === 2) step = Number(reader.int64());
    else if (field === 5) values = readSummary(reader.bytes());
    else reader.skip(type);
  }
  return values && { step, wallTime, values };
}

function readSummary(bytes: Uint8Array): Record<string, number> {
  const reader = new BinaryReader(bytes);
  const values: Record<string, number> = {};
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field !== 1) {
      reader.skip(type);
      continue;
    }
    const value = new BinaryReader(reader.bytes());
    let tag = '';
    while (value.pos < value.len) {
      const [inner, innerType] = value.tag();
      if (inner === 1) tag = value.string();
      else if (inner === 2) values[tag] = value.float();
      else value.skip(innerType);
    }
  }
  return values;
}

function versionRecord(wallTime: number): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Bit64).double(wallTime);
  return writer.tag(3, WireType.LengthDelimited).string('brain.Event:2').finish();
}

function scalarRecord({ step, wallTime, values }: ScalarEvent): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Bit64).double(wallTime);
  writer.tag(2, WireType.Varint).int64(step);
  writer.tag(5, WireType.LengthDelimited).fork();
  for (const [tag, value] of Object.entries(values)) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(tag);
    writer.tag(2, WireType.Bit32).float(value);
    writer.join();
  }
  return writer.join().finish();
}

/** Length, its checksum, the record and its checksum. */
function framed(record: Uint8Array): Uint8Array {
  const out = new Uint8Array(record.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(record.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(record, 12);
  view.setUint32(12 + record.length, masked(record), true);
  return out;
}

/** A checksum as TFRecord stores it, so that one of data that hold checksums is no trouble. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
