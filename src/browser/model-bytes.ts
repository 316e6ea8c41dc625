import { BoxwrightError } from '../errors.js';
import { type DownloadOptions, download } from './download.js';

/** An exported detector: the address of the `.onnx` file, or its bytes. */
export type ModelInput = string | URL | ArrayBuffer | Uint8Array | Blob;

/** A model's bytes, and what messages call it. */
export interface ModelBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The bytes of an exported detector.
 *
 * @throws BoxwrightError `network` if it cannot be downloaded; `aborted` by the signal; `weights` for a web page in its
 *   place; `config` for what is no model at all.
 */
export async function modelBytes(source: ModelInput, options: DownloadOptions): Promise<ModelBytes> {
  if (typeof source === 'string' || source instanceof URL) {
    const name = String(source);
    const bytes = await bytesOfBlob(await download(source, name, 'network', options));
    if (bytes[0] !== 0x3c) return { name, bytes }; // no model begins with <
    const reason = 'many servers of web apps send one for any file that they do not have';
    throw new BoxwrightError('weights', `${name}: the server answered with a web page, not with a model; ${reason}.`);
  }
  if (source instanceof Blob) {
    const name = source instanceof File ? source.name : 'the model';
    return { name, bytes: await bytesOfBlob(source) };
  }
  if (source instanceof Uint8Array) return { name: 'the model', bytes: source };
  if (source instanceof ArrayBuffer) return { name: 'the model', bytes: new Uint8Array(source) };
  const kinds = 'the address of an exported .onnx file, an ArrayBuffer, a Uint8Array or a Blob';
  throw new BoxwrightError('config', `${Object.prototype.toString.call(source)} is no model; expected ${kinds}.`);
}

async function bytesOfBlob(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}
