// Protobuf by hand, for files that no writer of ours writes.

export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

/** A field with a number. */
export function number(field: number, value: number | bigint): Uint8Array {
  return joined(varint(field * 8), varint(value));
}

/** A field with bytes, text or a message. */
export function content(field: number, ...pieces: readonly (Uint8Array | string)[]): Uint8Array {
  const bytes = joined(...pieces);
  return joined(varint(field * 8 + 2), varint(bytes.byteLength), bytes);
}

export function joined(...pieces: readonly (Uint8Array | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))));
}
