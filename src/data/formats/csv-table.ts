import { BoxwrightError } from '../../errors.js';

/** A row of a table, with the line of the file on which it begins. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Rows of a table with separated values (RFC 4180): quoted cells may hold separators, line breaks and doubled quotes. The
 * separator is the one of comma, semicolon and tab that the first line has most of. Empty lines are left out.
 *
 * @throws BoxwrightError `data` for a quote that is never closed.
 */
export function parseCsv(text: string, file: string): CsvRow[] {
  const separator = separatorOf(text);
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let line = 1;
  let rowLine = 1;
  let at = 0;
  const endRow = () => {
    if (cells.length > 1 || cells[0] !== '') rows.push({ line: rowLine, cells });
    cells = [];
    rowLine = ++line;
  };
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
      const end = closingQuote(text, at);
      if (end < 0) throw new BoxwrightError('data', `${file}, line ${line}: a quote is opened and never closed`);
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      line += cell.split('\n').length - 1;
      at = end + 1;
    } else {
      const from = at;
      while (at < text.length && text[at] !== separator && text[at] !== '\n') at++;
      cell = text.slice(from, at);
    }
    cells.push(cell.trim());
    // What stands between a closing quote and the separator is white space at most, or nobody's fault.
    while (at < text.length && text[at] !== separator && text[at] !== '\n') at++;
    if (text[at] === separator) {
      at++;
      if (at === text.length || text[at] === '\n') cells.push('');
    }
    if (at >= text.length || text[at] === '\n') {
      endRow();
      at++;
    }
  }
  return rows;
}

function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function separatorOf(text: string): string {
  const end = text.indexOf('\n');
  const head = end < 0 ? text : text.slice(0, end);
  const count = (separator: string) => head.split(separator).length;
  return [',', ';', '\t'].reduce((best, separator) => (count(separator) > count(best) ? separator : best));
}
