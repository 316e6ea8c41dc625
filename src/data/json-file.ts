import { readFile } from 'node:fs/promises';
import { BoxwrightError } from '../errors.js';

/** Reads a text file. @throws BoxwrightError `io` if it cannot be read; `what` names it in the message. */
export async function readText(path: string, what = 'the annotations'): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new BoxwrightError('io', `${path}: ${what} cannot be read (${cause.message})`, { cause });
  });
  // Editors on Windows write a byte order mark, which no parser wants.
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Parses JSON. @throws BoxwrightError `data` naming the file, and its line where the parser says where. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    const position = /at position (\d+)/.exec(message)?.[1];
    const line = position === undefined ? '' : `, line ${text.slice(0, Number(position)).split('\n').length}`;
    const hint = /[:[,]\s*(NaN|-?Infinity)\b/.test(text) ? '; it holds NaN or Infinity, which JSON does not have' : '';
    throw new BoxwrightError('data', `${file}${line}: not valid JSON (${message})${hint}`, { cause });
  }
}

/** A JSON object's fields, or undefined if the value is none. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Anything but a number is refused as NaN is. */
export function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}
