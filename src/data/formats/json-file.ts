import { BoxwrightError } from '../../errors.js';

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
