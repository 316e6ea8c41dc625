import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BoxwrightError } from '../../src/errors.js';
import { memorySource } from '../../src/weights/byte-source.js';
import { openZip, readEntry } from '../../src/weights/formats/zip.js';
import { type ZipFile, zipOf } from './zip-writer.js';

const files: ZipFile[] = [
  { name: 'a/one', pieces: [Buffer.from('first'), Buffer.from(' file')] },
  { name: 'a/two', pieces: [Buffer.alloc(100_000, 'x')], deflate: true },
  { name: '../ü', pieces: [] },
];

async function contents(bytes: Uint8Array): Promise<Record<string, string>> {
  const zip = await openZip(memorySource(bytes, 'x.zip'));
  const read: [string, string][] = [];
  for (const [name, entry] of zip.entries) {
    const source = await readEntry(zip, entry, (size) => assert.equal(size, entry.size));
    read.push([name, Buffer.from(await source.read(0, source.size)).toString()]);
  }
  return Object.fromEntries(read);
}

/** The archive `files` after `change` had its bytes. */
function changed(change: (bytes: Buffer, directory: number) => void, of = files): Uint8Array {
  const bytes = Buffer.concat(zipOf(of));
  change(bytes, bytes.indexOf('PK\x01\x02'));
  return bytes;
}

describe('zip archives', () => {
  for (const zip64 of [false, true]) {
    test(`stored and compressed files${zip64 ? ', with the sizes of zip64' : ''}`, async () => {
      const expected = { 'a/one': 'first file', 'a/two': 'x'.repeat(100_000), '../ü': '' };
      assert.deepEqual(await contents(Buffer.concat(zipOf(files, { zip64 }))), expected);
    });
  }

  test('without the records of zip64, and with a comment', async () => {
    const bytes = Buffer.concat(zipOf(files));
    const end = Buffer.from(bytes.subarray(bytes.length - 22));
    const comment = Buffer.from('PK\x05\x06 is a comment');
    end.writeUInt16LE(comment.length, 20);
    const plain = Buffer.concat([bytes.subarray(0, bytes.length - 98), end, comment]);
    assert.deepEqual(Object.keys(await contents(plain)), ['a/one', 'a/two', '../ü']);
  });

  test('contents begin at multiples of 64, as PyTorch wants them', () => {
    const bytes = Buffer.concat(zipOf(files));
    assert.equal(bytes.indexOf('first file') % 64, 0);
  });
});

const directoryEntry = (bytes: Buffer, directory: number, which: number) => {
  for (let i = 0; i < which; i++) directory += 46 + bytes.readUInt16LE(directory + 28);
  return directory;
};

const refused: [string, Uint8Array, RegExp][] = [
  ['an end without a directory', Buffer.from('PK\x03\x04'.padEnd(200)), /truncated: the file begins as a zip archive/],
  [
    'a directory beyond its end',
    changed((bytes) => bytes.writeBigUInt64LE(2n ** 63n, bytes.length - 98 + 48)),
    /its directory would reach to byte 9\.?2/,
  ],
  [
    'a directory of 2^63 bytes',
    changed((bytes) => bytes.writeBigUInt64LE(2n ** 63n, bytes.length - 98 + 40)),
    /would reach to byte/,
  ],
  [
    'a directory with more entries than fit',
    changed((bytes) => bytes.writeBigUInt64LE(2n ** 63n, bytes.length - 98 + 32)),
    /which cannot be/,
  ],
  [
    'one entry more than there are',
    changed((bytes) => bytes.writeBigUInt64LE(4n, bytes.length - 98 + 32)),
    /entry 3 of its directory, at byte \d+, is no entry|which cannot be/,
  ],
  [
    'a directory elsewhere',
    changed((bytes) => bytes.writeBigUInt64LE(1n, bytes.length - 98 + 48)),
    /entry 0 of its directory, at byte 1, is no entry/,
  ],
  [
    'an end record of zip64 elsewhere',
    changed((bytes) => bytes.writeBigUInt64LE(2n ** 62n, bytes.length - 42 + 8)),
    /its zip64 end record would lie at byte 4611686018427388000/,
  ],
  [
    'no end record of zip64',
    changed((bytes) => bytes.writeBigUInt64LE(0n, bytes.length - 42 + 8)),
    /at byte 0 lies no zip64 end record/,
  ],
  ['an encrypted entry', changed((bytes, at) => bytes.writeUInt16LE(1, at + 8)), /"a\/one" is encrypted/],
  [
    'another compression',
    changed((bytes, at) => bytes.writeUInt16LE(93, at + 10)),
    /"a\/one" is compressed by method 93/,
  ],
  [
    'a size that is not the stored one',
    changed((bytes, at) => bytes.writeUInt32LE(11, at + 24)),
    /"a\/one" would have 11 bytes, 10 of them in the archive/,
  ],
  [
    'a size beyond what deflate can do',
    changed((bytes, at) => bytes.writeUInt32LE(0xfffffffe, directoryEntry(bytes, at, 1) + 24)),
    /"a\/two" would have 4294967294 bytes/,
  ],
  [
    'a size of zip64 without its field',
    changed((bytes, at) => bytes.writeUInt32LE(0xffffffff, at + 20)),
    /"a\/one" would have/,
  ],
  [
    'a position beyond the directory',
    changed((bytes, at) => bytes.writeUInt32LE(2 ** 31, at + 42)),
    /"a\/one" would have .* from byte 2147483648/,
  ],
  [
    'a name that is cut off',
    changed((bytes, at) => bytes.writeUInt16LE(0xffff, at + 28)),
    /the entry of its directory at byte \d+ is cut off/,
  ],
  [
    'entries that overlap',
    changed((bytes, at) => bytes.writeUInt32LE(0, directoryEntry(bytes, at, 1) + 42)),
    /overlaps what begins at byte/,
  ],
  ['two entries of one name', Buffer.concat(zipOf([files[0], files[0]])), /two entries have the name "a\/one"/],
  [
    'a header that is none',
    changed((bytes) => bytes.writeUInt32LE(0, 0)),
    /at byte 0 lies no header of entry "a\/one"/,
  ],
  [
    'a header whose contents reach into the next',
    changed((bytes) => bytes.writeUInt16LE(60, 28)),
    /would reach to byte|has/,
  ],
  [
    'a stream that is none',
    changed((bytes) =>
      bytes.writeUInt32LE(0xffffffff, bytes.indexOf('a/two') + 5 + bytes.readUInt16LE(bytes.indexOf('a/two') - 2)),
    ),
    /"a\/two" cannot be decompressed/,
  ],
  [
    'a stream of more than it says',
    changed((bytes, at) => bytes.writeUInt32LE(99_999, directoryEntry(bytes, at, 1) + 24)),
    /"a\/two" cannot be decompressed to 99999 bytes/,
  ],
  [
    'a stream of less than it says',
    changed((bytes, at) => bytes.writeUInt32LE(100_001, directoryEntry(bytes, at, 1) + 24)),
    /"a\/two" has 100000 bytes, its directory says 100001/,
  ],
];

describe('zip archives: what is refused', () => {
  for (const [what, bytes, message] of refused) {
    test(what, async () => {
      await assert.rejects(contents(bytes), (error: BoxwrightError) => {
        assert.ok(error instanceof BoxwrightError, `${error.stack}`);
        assert.equal(error.code, 'weights');
        assert.match(error.message, message);
        assert.ok(error.message.startsWith('x.zip: zip: '), error.message);
        return true;
      });
    });
  }

  test('memory for a compressed entry is asked for before it is taken', async () => {
    const zip = await openZip(memorySource(Buffer.concat(zipOf(files)), 'x.zip'));
    const refuse = (size: number) => {
      throw new Error(`${size} bytes are too many`);
    };
    await assert.rejects(readEntry(zip, zip.entries.get('a/two')!, refuse), /100000 bytes are too many/);
  });
});
