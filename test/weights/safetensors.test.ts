import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { memorySource } from '../../src/weights/byte-source.js';
import {
  type ReadOptions,
  readSafetensors,
  readSafetensorsFrom,
  writeSafetensors,
} from '../../src/weights/formats/safetensors.js';
import { readGolden } from '../golden.js';
import { needs } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { refusal } from './refusal.js';

const folder = await temporaryFolder({ after });

const everyType: [string, Tensor][] = [
  ['flags', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['bytes', { dtype: 'uint8', shape: [1, 5], data: Uint8Array.of(0, 1, 2, 254, 255) }],
  ['small', { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) }],
  ['half', { dtype: 'float16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 0x7bff) }],
  ['index', { dtype: 'int32', shape: [2, 1], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) }],
  ['count', { dtype: 'uint32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) }],
  ['conv "a"\\ü.weight', { dtype: 'float32', shape: [1, 2, 1, 1], data: Float32Array.of(0.1, -0) }],
  ['step', { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 63n)) }],
  ['loss', { dtype: 'float64', shape: [2], data: Float64Array.of(Math.PI, Number.POSITIVE_INFINITY) }],
  ['empty', { dtype: 'float32', shape: [0, 4], data: new Float32Array(0) }],
];

const parse = (bytes: Uint8Array, name = 'x', options?: ReadOptions) =>
  readSafetensorsFrom(memorySource(bytes, name), options);

/** A file with the header `json` (an object or raw text) and `dataLength` bytes of data. */
function fileOf(json: unknown, dataLength: number, headerLength?: bigint): Uint8Array {
  const header = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const file = Buffer.alloc(8 + header.byteLength + dataLength, 7);
  file.writeBigUInt64LE(headerLength ?? BigInt(header.byteLength));
  file.set(header, 8);
  return file;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', () => {
  test('writes and reads every element type, the names in order and the metadata', async () => {
    const path = join(folder, 'all.safetensors');
    await writeSafetensors(path, new Map(everyType), { epoch: '3', note: 'a "b"\n' });
    const { tensors, metadata } = await readSafetensors(path);
    assert.deepEqual([...tensors], everyType);
    assert.deepEqual(metadata, { epoch: '3', note: 'a "b"\n' });
  });

  test('lays tensors out so that a reader in place needs no copies', async () => {
    const path = join(folder, 'aligned.safetensors');
    await writeSafetensors(path, new Map(everyType));
    const whole = new Uint8Array(await readFile(path));
    for (const [name, { data }] of (await parse(whole)).tensors) {
      assert.equal(data.buffer, whole.buffer, name);
    }
  });

  test('gives equal bytes for equal tensors', async () => {
    const paths = ['once', 'twice'].map((name) => join(folder, name));
    for (const path of paths) await writeSafetensors(path, new Map(everyType), { a: 'b' });
    const [once, twice] = await Promise.all(paths.map((path) => readFile(path)));
    assert.ok(once.equals(twice));
  });

  test('copies elements that do not lie at a multiple of their size', async () => {
    const file = fileOf({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: f32(1, 9) }, 9);
    const view = new DataView(file.buffer, file.byteOffset + file.byteLength - 8);
    view.setFloat32(0, 1.5, true);
    view.setFloat32(4, -2, true);
    assert.deepEqual((await parse(file)).tensors.get('b')?.data, Float32Array.of(1.5, -2));
  });

  test('keeps float16 as bits, or widens it exactly on request', async () => {
    const bits = Uint16Array.of(0x0000, 0x8000, 0x3c00, 0x3555, 0x0001, 0x03ff, 0x7bff, 0xfc00, 0x7e00);
    const file = fileOf({ h: { dtype: 'F16', shape: [9], data_offsets: [0, 18] } }, 18);
    file.set(new Uint8Array(bits.buffer), file.byteLength - 18);
    assert.deepEqual((await parse(file)).tensors.get('h')?.data, bits);
    const widened = (await parse(file, 'x', { widen: true })).tensors.get('h');
    const { NaN: nan, NEGATIVE_INFINITY: minus } = Number;
    const expected = [0, -0, 1, 0.333251953125, 2 ** -24, 1023 * 2 ** -24, 65504, minus, nan];
    assert.deepEqual(widened, { dtype: 'float32', shape: [9], data: Float32Array.from(expected) });
  });

  test('widens bfloat16, which no array of ours holds', async () => {
    const file = fileOf({ h: { dtype: 'BF16', shape: [3], data_offsets: [0, 6] } }, 6);
    file.set(new Uint8Array(Uint16Array.of(0x3f80, 0xc049, 0x7f80).buffer), file.byteLength - 6);
    const expected = Float32Array.of(1, -3.140625, Number.POSITIVE_INFINITY);
    assert.deepEqual((await parse(file)).tensors.get('h'), { dtype: 'float32', shape: [3], data: expected });
  });

  test('reads a file of the official writer', needs('golden/refinedet-zoo/anchors_320.safetensors'), async () => {
    const { tensors } = await readGolden('refinedet-zoo/anchors_320.safetensors');
    assert.equal(tensors.size, 2);
    for (const { dtype, shape } of tensors.values()) assert.deepEqual([dtype, shape], ['float32', [6375, 4]]);
  });
});

const broken: [string, Uint8Array, RegExp][] = [
  ['an empty file', new Uint8Array(0), /has 0 bytes/],
  ['a header beyond the bound', fileOf({}, 0, 2n ** 62n), /header would take 4611686018427387904 bytes, more than/],
  ['a header beyond the file', fileOf({}, 0, 1000n), /truncated: the header ends at byte 1008, the file has 10 bytes/],
  ['something else', fileOf('PK\x03\x04', 0), /does not start with "\{"/],
  ['broken JSON', fileOf('{"a":', 0), /not JSON/],
  ['broken UTF-8', fileOf({ a: 1 }, 0).map((byte) => (byte === 97 ? 0xff : byte)), /not JSON/],
  ['metadata that is not text', fileOf({ __metadata__: { a: 1 } }, 0), /__metadata__ must map names to strings/],
  [
    'an unknown dtype',
    fileOf({ a: { ...f32(0, 4), dtype: 'F8_E4M3' } }, 4),
    /tensor "a" has dtype "F8_E4M3"; boxwright reads F64/,
  ],
  ['no entry', fileOf({ a: null }, 0), /tensor "a" has dtype undefined/],
  ['a negative size', fileOf({ a: f32(0, 4, [-1]) }, 4), /"a" has shape \[-1\], expected whole numbers/],
  ['a fraction', fileOf({ a: f32(0, 4, [0.5]) }, 4), /"a" has shape \[0.5\]/],
  ['offsets in reverse', fileOf({ a: f32(4, 0, [1]) }, 4), /"a" has data_offsets \[4,0\], expected \[begin, end\]/],
  ['a shape that does not fit', fileOf({ a: f32(0, 8, [3]) }, 8), /F32 of shape \[3\], needs 12 bytes.*hold 8/],
  [
    'a shape whose size overflows',
    fileOf({ a: f32(0, 8, [2 ** 40, 2 ** 40]) }, 8),
    /needs 4\.835703278458517e\+24 bytes/,
  ],
  ['a gap', fileOf({ a: f32(0, 4), b: f32(8, 12) }, 12), /"b" begins at data byte 8, expected 4: it leaves a gap/],
  ['an overlap', fileOf({ a: f32(0, 8), b: f32(4, 12) }, 12), /"b" begins at data byte 4, expected 8: it overlaps/],
  ['a file cut short', fileOf({ a: f32(0, 40) }, 30), /truncated: its header describes 104 bytes, the file has 94/],
  ['bytes at the end', fileOf({ a: f32(0, 4) }, 6), /2 bytes follow the last tensor/],
];

describe('safetensors: what is refused', () => {
  for (const [what, bytes, message] of broken) {
    test(what, async () => {
      const path = join(folder, 'broken.safetensors');
      await writeFile(path, bytes);
      const expected = refusal(path, message);
      await assert.rejects(readSafetensors(path), expected);
      await assert.rejects(parse(bytes, path), expected);
    });
  }

  test('a file that is not there', async () => {
    const path = join(folder, 'absent.safetensors');
    await assert.rejects(readSafetensors(path), { code: 'io', message: `cannot read ${path}: there is no such file` });
  });

  test('writing a tensor that does not fill its shape, before anything is written', async () => {
    const path = join(folder, 'wrong.safetensors');
    const tensor: Tensor = { dtype: 'float32', shape: [2, 2], data: new Float32Array(3) };
    await assert.rejects(writeSafetensors(path, new Map([['w', tensor]])), {
      code: 'weights',
      message: `${path}: tensor "w" of shape [2,2] has 3 elements, expected 4`,
    });
    await assert.rejects(writeSafetensors(path, new Map([['__metadata__', everyType[0][1]]])), { code: 'weights' });
    assert.ok(!(await readdir(folder)).some((name) => name.includes('wrong')));
  });
});
