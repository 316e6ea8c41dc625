import { createHash, type Hash } from 'node:crypto';
import { constants, type FileHandle, open, readFile } from 'node:fs/promises';
import { writeError, writeFileAtomically } from '../weights/atomic-file.js';

/** What a server said of a file, so that a part of it is gone on with only while it is the same. */
export interface PartInfo {
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** Bytes of a piece that is hashed. */
const pieceSize = 1 << 20;

/** A download as far as it has come: a file that grows, and the sha256 of all that is in it. */
export class PartFile {
  readonly path: string;
  readonly #infoPath: string;
  readonly #file: FileHandle;
  #hash: Hash = createHash('sha256');
  #size = 0;
  #info: PartInfo | undefined;

  private constructor(path: string, infoPath: string, file: FileHandle, info: PartInfo | undefined) {
    this.path = path;
    this.#infoPath = infoPath;
    this.#file = file;
    this.#info = info;
  }

  /**
   * Opens what an earlier attempt left, or an empty file.
   *
   * @throws BoxwrightError `io` if it cannot be written.
   */
  static async open(path: string, infoPath: string): Promise<PartFile> {
    try {
      return new PartFile(
        path,
        infoPath,
        await open(path, constants.O_RDWR | constants.O_CREAT),
        await readInfo(infoPath),
      );
    } catch (cause) {
      throw writeError(path, cause);
    }
  }

  /** Bytes that are in the file and in the hash. */
  get size(): number {
    return this.#size;
  }

  get info(): PartInfo | undefined {
    return this.#info;
  }

  /** Takes the hash of what is there already. */
  async catchUp(onProgress: (done: number, total: number) => void, signal: AbortSignal): Promise<void> {
    const { size: total } = await this.#file.stat();
    const piece = Buffer.allocUnsafe(pieceSize);
    while (this.#size < total) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#file.read(piece, 0, pieceSize, this.#size);
      if (bytesRead === 0) break;
      this.#hash.update(piece.subarray(0, bytesRead));
      this.#size += bytesRead;
      onProgress(this.#size, total);
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.byteLength; ) {
        at += (await this.#file.write(bytes, at, bytes.byteLength - at, this.#size + at)).bytesWritten;
      }
    } catch (cause) {
      throw writeError(this.path, cause);
    }
    this.#hash.update(bytes);
    this.#size += bytes.byteLength;
  }

  /** Remembers what the bytes that come now are of. */
  async describe(info: PartInfo): Promise<void> {
    this.#info = info;
    await writeFileAtomically(this.#infoPath, `${JSON.stringify(info)}\n`);
  }

  /** Drops all bytes. */
  async empty(): Promise<void> {
    try {
      await this.#file.truncate(0);
    } catch (cause) {
      throw writeError(this.path, cause);
    }
    this.#hash = createHash('sha256');
    this.#size = 0;
  }

  /** Of all bytes so far. */
  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Makes the bytes last. */
  async flush(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (cause) {
      throw writeError(this.path, cause);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** A note that cannot be read says nothing: the part is then gone on with, and the checksum tells whether that was right. */
async function readInfo(path: string): Promise<PartInfo | undefined> {
  try {
    const { url, etag, lastModified } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
    return typeof url === 'string' ? { url, etag: text(etag), lastModified: text(lastModified) } : undefined;
  } catch {
    return undefined;
  }
}
