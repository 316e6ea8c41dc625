import { inflateRawSync } from 'node:zlib';
import { type ZipFile, zipOf } from '../../test/weights/zip-writer.js';
import { type Mutation, mutations } from '../mutations.js';
import { pickleMutations } from './pickle.js';

/** The files of an archive that `zipOf` wrote, as far as it is still whole. */
function filesOf(bytes: Uint8Array): ZipFile[] {
  const buffer = Buffer.from(bytes);
  const files: ZipFile[] = [];
  for (let at = 0; at + 30 < buffer.length && buffer.readUInt32LE(at) === 0x04034b50; ) {
    const deflate = buffer.readUInt16LE(at + 8) === 8;
    const nameEnd = at + 30 + buffer.readUInt16LE(at + 26);
    const start = nameEnd + buffer.readUInt16LE(at + 28);
    const end = start + buffer.readUInt32LE(at + 18);
    const stored = buffer.subarray(start, end);
    try {
      const pieces = [deflate ? inflateRawSync(stored, { maxOutputLength: 2 ** 20 }) : stored];
      // A name that is no UTF-8 grows by this, beyond what a zip archive can write.
      files.push({ name: buffer.toString('utf8', at + 30, nameEnd).slice(0, 20_000), pieces, deflate });
    } catch {
      return files;
    }
    at = end;
  }
  return files;
}

/** A change inside one of the archive's files, the pickle more often, with the archive right around it. */
const inOneFile: Mutation = (bytes, random, samples) => {
  const files = filesOf(bytes);
  if (files.length === 0) return bytes;
  const which = random.int(4) ? files.findIndex(({ name }) => name.endsWith('data.pkl')) : random.int(files.length);
  const all = [...mutations, ...pickleMutations, ...pickleMutations];
  const changed = files.map((file, i) => {
    if (i !== which) return file;
    const pieces = [all[random.int(all.length)](Buffer.concat(file.pieces), random, samples)];
    return { ...file, pieces, deflate: random.int(8) ? file.deflate : !file.deflate };
  });
  return new Uint8Array(Buffer.concat(zipOf(changed, { zip64: random.int(2) === 0 })));
};

/** Files left out, twice there, in another order or under each other's names. */
const otherFiles: Mutation = (bytes, random) => {
  const files = filesOf(bytes);
  if (files.length === 0) return bytes;
  const one = random.int(files.length);
  const other = random.int(files.length);
  const names = [
    '../../data.pkl',
    'archive/data/../data/0',
    '/archive/data/0',
    'archive/constants.pkl',
    '',
    files[other].name,
  ];
  switch (random.int(4)) {
    case 0:
      files.splice(one, 1);
      break;
    case 1:
      files.push(files[one]);
      break;
    case 2:
      [files[one], files[other]] = [files[other], files[one]];
      break;
    default:
      files[one] = { ...files[one], name: names[random.int(names.length)] };
  }
  return new Uint8Array(Buffer.concat(zipOf(files, { zip64: random.int(2) === 0 })));
};

/** A few zeros deflated into next to nothing. */
const bomb: Mutation = (bytes, random) => {
  const files = filesOf(bytes);
  if (files.length === 0) return bytes;
  const which = random.int(files.length);
  const zeros = Buffer.alloc(2 ** random.int(24), ['\0', ')', '}', '('][random.int(4)]);
  files[which] = { ...files[which], deflate: true, pieces: [...files[which].pieces, zeros] };
  return new Uint8Array(Buffer.concat(zipOf(files)));
};

export const zipMutations: readonly Mutation[] = [...Array<Mutation>(6).fill(inOneFile), otherFiles, bomb];
