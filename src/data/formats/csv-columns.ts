import { isPictureName } from '../picture-files.js';

/** What a column of a table of boxes can be. */
const meanings = {
  picture: [
    'filename',
    'file',
    'path',
    'filepath',
    'image',
    'imagepath',
    'imagename',
    'imagefile',
    'img',
    'imgpath',
    'imageid',
    'id',
  ],
  x1: ['x1', 'xmin', 'left', 'bboxx1', 'bboxxmin', 'bbox1', 'xtopleft', 'minx'],
  y1: ['y1', 'ymin', 'top', 'bboxy1', 'bboxymin', 'bbox2', 'ytopleft', 'miny'],
  x2: ['x2', 'xmax', 'right', 'bboxx2', 'bboxxmax', 'bbox3', 'xbottomright', 'maxx'],
  y2: ['y2', 'ymax', 'bottom', 'bboxy2', 'bboxymax', 'bbox4', 'ybottomright', 'maxy'],
  x: ['x', 'bboxx', 'boxx'],
  y: ['y', 'bboxy', 'boxy'],
  boxWidth: ['w', 'bboxwidth', 'boxwidth', 'bboxw'],
  boxHeight: ['h', 'bboxheight', 'boxheight', 'bboxh'],
  width: ['width', 'imagewidth', 'imgwidth', 'imwidth'],
  height: ['height', 'imageheight', 'imgheight', 'imheight'],
  box: ['bbox', 'box'],
  label: [
    'label',
    'class',
    'classname',
    'category',
    'categoryname',
    'labelname',
    'name',
    'object',
    'target',
    'classid',
    'labelid',
  ],
  part: ['set', 'split', 'subset', 'part', 'dataset', 'mluse'],
  difficult: ['difficult', 'isdifficult'],
  truncated: ['truncated', 'istruncated'],
  crowd: ['iscrowd', 'crowd', 'isgroupof'],
} as const;

export type ColumnName = keyof typeof meanings;

/** Where each meaning's column is. */
export interface CsvColumns {
  readonly at: Readonly<Partial<Record<ColumnName, number>>>;
  /** How a box is written: two corners, a corner with the size, or one cell `[x, y, width, height]`. */
  readonly box: 'corners' | 'size' | 'cell';
  /** Whether the first row names the columns. */
  readonly header: boolean;
  /** Which columns were taken, for people. */
  readonly note: string;
}

/** Columns from the first row, by their names or, without a header, by what stands in them. Undefined if it is no table of boxes. */
export function findColumns(first: readonly string[]): CsvColumns | undefined {
  return byName(first) ?? autoMl(first) ?? byPlace(first);
}

function byName(header: readonly string[]): CsvColumns | undefined {
  const names = header.map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, ''));
  const at: Partial<Record<ColumnName, number>> = {};
  for (const [meaning, synonyms] of Object.entries(meanings) as [ColumnName, readonly string[]][]) {
    // Of several that fit, the more telling name: synonyms stand in that order.
    const found = synonyms.map((synonym) => names.indexOf(synonym)).find((place) => place >= 0);
    if (found !== undefined) at[meaning] = found;
  }
  if (at.picture === undefined) return undefined;
  const has = (...wanted: ColumnName[]) => wanted.every((name) => at[name] !== undefined);
  const note = (used: readonly ColumnName[]) =>
    `columns ${used.flatMap((name) => (at[name] === undefined ? [] : [`${name} = ${header[at[name]]}`])).join(', ')}`;
  const others: ColumnName[] = ['label', 'part', 'difficult', 'truncated', 'crowd'];
  if (has('x1', 'y1', 'x2', 'y2')) {
    const used: ColumnName[] = ['picture', 'x1', 'y1', 'x2', 'y2', ...others];
    return {
      at,
      box: 'corners',
      header: true,
      note: note(has('width', 'height') ? [...used, 'width', 'height'] : used),
    };
  }
  // Without a second corner, width and height are the box's, unless it has its own.
  const own = has('boxWidth', 'boxHeight');
  const moved = own ? at : { ...at, boxWidth: at.width, boxHeight: at.height, width: undefined, height: undefined };
  const x = at.x ?? at.x1;
  const y = at.y ?? at.y1;
  if (x !== undefined && y !== undefined && moved.boxWidth !== undefined && moved.boxHeight !== undefined) {
    const places = { ...moved, x, y };
    const size = `picture = ${header[at.picture]}, x = ${header[x]}, y = ${header[y]}, box width = ${header[moved.boxWidth]}, box height = ${header[moved.boxHeight]}`;
    const label = at.label === undefined ? '' : `, label = ${header[at.label]}`;
    return { at: places, box: 'size', header: true, note: `columns ${size}${label}` };
  }
  return has('box')
    ? { at, box: 'cell', header: true, note: note(['picture', 'box', ...others, 'width', 'height']) }
    : undefined;
}

/** Google's AutoML: set, path, label and two or four corners in shares; the first and the third of four are enough. */
function autoMl(cells: readonly string[]): CsvColumns | undefined {
  if (cells.length < 9 || !/^(train(ing)?|validat(e|ion)|test|unassigned)$/i.test(cells[0])) return undefined;
  const at = { part: 0, picture: 1, label: 2, x1: 3, y1: 4, x2: 7, y2: 8 };
  return {
    at,
    box: 'corners',
    header: false,
    note: 'no header; columns as in AutoML: set, path, label, x1, y1, …, x2, y2',
  };
}

/** `path,x1,y1,x2,y2,label`, as keras-retinanet has it. */
function byPlace(cells: readonly string[]): CsvColumns | undefined {
  if (cells.length !== 6 || !isPictureName(cells[0])) return undefined;
  if (!cells.slice(1, 5).every((cell) => cell === '' || Number.isFinite(Number(cell)))) return undefined;
  const at = { picture: 0, x1: 1, y1: 2, x2: 3, y2: 4, label: 5 };
  return { at, box: 'corners', header: false, note: 'no header; columns path, x1, y1, x2, y2, label' };
}

/** Parts that a table's column names, by our names. */
export function partNamed(text: string): string {
  const name = text.toLowerCase();
  if (/^train/.test(name)) return 'train';
  return /^val/.test(name) ? 'val' : name;
}
