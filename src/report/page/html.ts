/** Text as it may stand in HTML, between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Data for scripts of the page. No `<` is left in it, so that no text of the user's can end the element, whatever a class
 * is called; numbers that are not finite become null.
 */
export function jsonBlock(id: string, value: unknown): string {
  const json = JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<script type="application/json" id="${id}">${json}</script>`;
}

/** A table with its caption and a header for every row, in a box of its own that scrolls where the page is narrow. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  foot?: readonly (string | number)[],
): string {
  const cells = (row: readonly (string | number)[]) =>
    row
      .map((cell, i) =>
        i === 0 ? `<th scope="row">${escapeHtml(`${cell}`)}</th>` : `<td>${escapeHtml(`${cell}`)}</td>`,
      )
      .join('');
  const columns = head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join('');
  const end = foot ? `<tfoot><tr>${cells(foot)}</tr></tfoot>` : '';
  return scrolling(
    caption,
    `<table><caption>${escapeHtml(caption)}</caption><thead><tr>${columns}</tr></thead><tbody>${body}</tbody>${end}</table>`,
  );
}

/** What is wider than a phone scrolls on its own; the focus lets the keyboard do it. No landmark: a page has dozens. */
export function scrolling(label: string, html: string): string {
  return `<div class="scroll" role="group" tabindex="0" aria-label="${escapeHtml(label)}">${html}</div>`;
}

/**
 * Something behind a word: tables behind charts.
 *
 * @param of what it belongs to, for those who go from one to the next by ear
 */
export function folded(summary: string, html: string, of?: string): string {
  const aside = of === undefined ? '' : `<span class="aside"> of ${escapeHtml(of)}</span>`;
  return `<details><summary>${escapeHtml(summary)}${aside}</summary>${html}</details>`;
}

/** A number with as many digits as tell it apart from its neighbours, without a tail of noughts. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return `${value}`;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  return `${Number(value.toPrecision(4))}`;
}
