import { appendFileSync, existsSync } from 'node:fs';
import { writeError } from '../../weights/atomic-file.js';

/** A table that grows by rows; its columns are those of the first row. */
export class CsvFile {
  readonly path: string;
  #columns: readonly string[] | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws BoxwrightError `io` */
  append(row: Readonly<Record<string, number | string>>): void {
    const isNew = this.#columns === undefined && !existsSync(this.path);
    this.#columns ??= Object.keys(row);
    const line = csvLine(this.#columns.map((name) => row[name] ?? ''));
    try {
      appendFileSync(this.path, isNew ? `${csvLine(this.#columns)}${line}` : line);
    } catch (cause) {
      throw writeError(this.path, cause);
    }
  }
}

/** A line as RFC 4180 has it, but with a line feed alone at the end. */
export function csvLine(cells: readonly (number | string)[]): string {
  return `${cells.map(cell).join(',')}\n`;
}

function cell(value: number | string): string {
  const text = typeof value === 'number' && !Number.isFinite(value) ? '' : `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
