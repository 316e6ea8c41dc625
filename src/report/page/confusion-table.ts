import type { ConfusionResult } from '../../evaluate/index.js';
import { escapeHtml, scrolling } from './html.js';

/** Classes whose names stand above the columns; of more the columns have numbers. */
const mostNames = 12;

/** The matrix as a table, each cell the darker the larger its part of the row is; background is the last row and column. */
export function confusionTable({ labels, counts, minScore, iouThreshold, convention }: ConfusionResult): string {
  const numbered = labels.length > mostNames;
  const columns = labels.map((name, k) => {
    const text = numbered ? `<abbr title="${escapeHtml(name)}">${k + 1}</abbr>` : escapeHtml(name);
    return `<th scope="col">${text}</th>`;
  });
  const rows = counts.map((row, k) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const isBackground = k === labels.length - 1;
    const cells = row.map((count, column) => {
      // Nothing is counted where there is nothing and nothing was found.
      if (isBackground && column === k) return '<td class="none"></td>';
      const share = total > 0 ? count / total : 0;
      const kinds = [...(column === k ? ['own'] : []), ...(count === 0 ? ['zero'] : [])];
      const kind = kinds.length > 0 ? ` class="${kinds.join(' ')}"` : '';
      return `<td${kind} style="--share:${share.toFixed(3)}">${count}</td>`;
    });
    const name = numbered ? `${k + 1} ${labels[k]}` : labels[k];
    return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.join('')}</tr>`;
  });
  const caption = 'What objects were taken for';
  const rule =
    convention === 'ultralytics'
      ? `a score above ${minScore} and an IoU above ${iouThreshold}, one to one`
      : `a score of at least ${minScore} and an IoU of at least ${iouThreshold}, every pair`;
  const about = `<p class="note">Rows: what is annotated. Columns: what was detected, with ${rule} (${convention}'s rule). The column background has the missed objects, the row background the false detections.</p>`;
  return `${scrolling(caption, `<table class="matrix"><caption>${caption}</caption><thead><tr><th scope="col">annotated</th>${columns.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`)}${about}`;
}
