import { escapeHtml, scrolling } from './html.js';

export interface Bar {
  readonly name: string;
  /** Length; the largest of the table fills it. */
  readonly value: number;
  /** The value in words. */
  readonly text: string;
  readonly note?: string;
}

/** Bars that are a table: what is seen is what is read out. */
export function barTable(
  caption: string,
  head: readonly [name: string, value: string, note?: string],
  bars: readonly Bar[],
): string {
  const most = bars.reduce((largest, { value }) => Math.max(largest, value), 0);
  const rows = bars.map(({ name, value, text, note }) => {
    const width = most > 0 && value > 0 ? Math.max(0.5, (100 * value) / most) : 0;
    const bar = `<span class="bar"><span style="width:${width.toFixed(1)}%"></span></span>`;
    const last = head[2] === undefined ? '' : `<td class="last">${escapeHtml(note ?? '')}</td>`;
    return `<tr><th scope="row">${escapeHtml(name)}</th><td class="number">${escapeHtml(text)}</td><td class="bars" aria-hidden="true">${bar}</td>${last}</tr>`;
  });
  const note = head[2] === undefined ? '' : `<th scope="col" class="last">${escapeHtml(head[2])}</th>`;
  const columns = `<th scope="col">${escapeHtml(head[0])}</th><th scope="col" class="number">${escapeHtml(head[1])}</th><td aria-hidden="true"></td>${note}`;
  return scrolling(
    caption,
    `<table class="bar-table"><caption>${escapeHtml(caption)}</caption><thead><tr>${columns}</tr></thead><tbody>${rows.join('')}</tbody></table>`,
  );
}
