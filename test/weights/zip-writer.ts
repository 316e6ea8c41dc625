import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  readonly name: string;
  /** Its content, in pieces. */
  readonly pieces: readonly Uint8Array[];
  readonly deflate?: boolean;
}

/**
 * A zip archive in pieces, laid out as PyTorch does: stored files whose contents begin at multiples of 64, and the
 * records of zip64 at the end.
 *
 * @param zip64 also gives the directory's entries 64-bit sizes and positions
 */
export function zipOf(files: readonly ZipFile[], { zip64 = false } = {}): Uint8Array[] {
  const out: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const put = (piece: Uint8Array) => {
    out.push(piece);
    at += piece.byteLength;
  };
  for (const { name, pieces, deflate } of files) {
    const size = bytesIn(pieces);
    const content = deflate ? [deflateRawSync(Buffer.concat(pieces))] : pieces;
    const stored = bytesIn(content);
    const crc = pieces.reduce((sum, piece) => crc32(piece, sum), 0);
    const position = at;
    const nameBytes = Buffer.from(name);
    const padding = (64 - ((at + 30 + nameBytes.byteLength + 4) % 64)) % 64;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(deflate ? 8 : 0, 8);
    local.writeUInt32LE(crc, 14);
    local.writeUInt32LE(stored, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(nameBytes.byteLength, 26);
    local.writeUInt16LE(4 + padding, 28);
    const extra = Buffer.alloc(4 + padding, 'Z');
    extra.writeUInt16LE(0x4246, 0);
    extra.writeUInt16LE(padding, 2);
    for (const piece of [local, nameBytes, extra, ...content]) put(piece);
    directory.push(directoryEntry({ nameBytes, deflate, crc, stored, size, position, zip64 }));
  }
  const start = at;
  for (const piece of directory) put(piece);
  const length = at - start;
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(files.length), 24);
  end.writeBigUInt64LE(BigInt(files.length), 32);
  end.writeBigUInt64LE(BigInt(length), 40);
  end.writeBigUInt64LE(BigInt(start), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(at), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x06054b50, 76);
  end.writeUInt16LE(files.length, 84);
  end.writeUInt16LE(files.length, 86);
  end.writeUInt32LE(zip64 ? 0xffffffff : length, 88);
  end.writeUInt32LE(zip64 ? 0xffffffff : start, 92);
  out.push(end);
  return out;
}

function directoryEntry(entry: {
  nameBytes: Uint8Array;
  deflate?: boolean;
  crc: number;
  stored: number;
  size: number;
  position: number;
  zip64: boolean;
}): Uint8Array {
  const { nameBytes, deflate, crc, stored, size, position, zip64 } = entry;
  const fixed = Buffer.alloc(46);
  fixed.writeUInt32LE(0x02014b50, 0);
  fixed.writeUInt16LE(deflate ? 8 : 0, 10);
  fixed.writeUInt32LE(crc, 16);
  fixed.writeUInt32LE(zip64 ? 0xffffffff : stored, 20);
  fixed.writeUInt32LE(zip64 ? 0xffffffff : size, 24);
  fixed.writeUInt16LE(nameBytes.byteLength, 28);
  fixed.writeUInt32LE(zip64 ? 0xffffffff : position, 42);
  if (!zip64) return Buffer.concat([fixed, nameBytes]);
  fixed.writeUInt16LE(28, 30);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  [size, stored, position].forEach((value, i) => {
    extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  });
  return Buffer.concat([fixed, nameBytes, extra]);
}

function bytesIn(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
}
