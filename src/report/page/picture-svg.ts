import { dataAddress } from '../drawing/thumbnails.js';
import { classColour } from './colours.js';
import { escapeHtml } from './html.js';

/** A box to be drawn over a picture, in its pixels. */
export interface SvgBox {
  readonly box: ArrayLike<number>;
  /** Class, from 0. */
  readonly label: number;
  /** What is told when a pointer rests on it. */
  readonly title: string;
  /** What is written in its corner. */
  readonly name?: string;
  /** Dashed: difficult objects and crowds. */
  readonly soft?: boolean;
}

/**
 * A JPEG as a picture of `width` × `height`, with boxes as shapes of its own pixels over it.
 *
 * @param label what it is for those who do not see it
 */
export function pictureSvg(
  jpeg: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  boxes: readonly SvgBox[],
  label: string,
): string {
  const letters = Math.max(1, Math.round(width / 24)); // pictures are shown in one width
  const shapes = boxes.map(({ box, label, title, name, soft }) => {
    const [x1, y1, x2, y2] = Array.from(box, (side) => Math.round(side * 100) / 100);
    const place = `x="${x1}" y="${y1}" width="${round(x2 - x1)}" height="${round(y2 - y1)}"`;
    const kind = `c${label}${soft ? ' soft' : ''}`;
    // White on a dark rim, by the page's style: a class's colour would be lost on pictures of about its brightness.
    const text = `<text class="${kind}" x="${x1 + letters / 4}" y="${y1 + letters}" font-size="${letters}">${escapeHtml(name ?? '')}</text>`;
    const shape = `<rect class="${kind}" ${place} stroke="${classColour(label)}"><title>${escapeHtml(title)}</title></rect>`;
    return name === undefined ? shape : shape + text;
  });
  return `<svg class="picture" role="img" aria-label="${escapeHtml(label)}" viewBox="0 0 ${width} ${height}"><image href="${dataAddress(jpeg)}" width="${width}" height="${height}" preserveAspectRatio="none"/>${shapes.join('')}</svg>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
