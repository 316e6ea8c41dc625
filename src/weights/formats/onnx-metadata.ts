// What an ONNX model says of itself: its metadata properties, field 14 of the model.

import type { ByteSource } from '../byte-source.js';
import { type ProtobufField, ProtobufFile } from './protobuf.js';

/**
 * The metadata properties of an ONNX model; its graph is passed over.
 *
 * @throws BoxwrightError `weights` if the file is damaged.
 */
export async function readOnnxMetadata(source: ByteSource): Promise<Record<string, string>> {
  const file = new ProtobufFile(source);
  const properties: (readonly [string, string])[] = [];
  for await (const field of file.fields()) if (isProperty(field)) properties.push(await readEntry(file, field));
  return Object.fromEntries(properties);
}

/** Whether a field of the model is one of its metadata properties. */
export function isProperty(field: ProtobufField): boolean {
  return field.number === 14 && field.wire === 2;
}

/** Key and value of a StringStringEntryProto. */
export async function readEntry(file: ProtobufFile, message: ProtobufField): Promise<readonly [string, string]> {
  const texts = ['', ''];
  for await (const field of file.fields(message)) {
    if (field.number === 1 || field.number === 2) texts[field.number - 1] = await file.text(field, 'a property');
  }
  return [texts[0], texts[1]];
}
