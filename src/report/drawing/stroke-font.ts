/**
 * A small plotter font of our own: servers and containers often have no font at all, and a drawing should not depend on
 * the machine. Each pair of digits is a point x, y of a grid, through which a stroke goes; a blank ends a stroke.
 * Capitals reach from y = 0 to the base line at y = 6, small letters from y = 2, descenders to y = 8.
 */
const glyphs: Readonly<Record<string, string>> = {
  ' ': '',
  '!': '0004 0606',
  '"': '0001 2021',
  '#': '1016 3036 0242 0444',
  $: '413010010213334445361605 2026',
  '%': '4006 0001111000 3536464535',
  '&': '46011020210405162644',
  "'": '0001',
  '(': '10010516',
  ')': '00111506',
  '*': '2125 0244 4204',
  '+': '2125 0343',
  ',': '151607',
  '-': '0333',
  '.': '0606',
  '/': '0630',
  0: '100105163645413010',
  1: '011016 0626',
  2: '01103041420646',
  3: '0110304142334445361605 1333',
  4: '36300444',
  5: '400002324345361605',
  6: '4130100105163645443303',
  7: '00404116',
  8: '13020110304142331304051636454433',
  9: '4313020110304145361605',
  ':': '0303 0606',
  ';': '1313 151607',
  '<': '310335',
  '=': '0242 0444',
  '>': '013305',
  '?': '01103041422324 2626',
  '@': '453616050110304144242242',
  A: '060110304146 0343',
  B: '030030414233030636454433',
  C: '4130100105163645',
  D: '00062644422000',
  E: '40000646 0333',
  F: '400006 0333',
  G: '41301001051636454323',
  H: '0006 4046 0343',
  I: '0020 1016 0626',
  J: '4045361605',
  K: '0006 400346',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: '100105163645413010',
  P: '06003041423303',
  Q: '100105163645413010 2446',
  R: '06003041423303 2346',
  S: '413010010213334445361605',
  T: '0040 2026',
  U: '000516364540',
  V: '002640',
  W: '0016233640',
  X: '0046 4006',
  Y: '002340 2326',
  Z: '00400646',
  '[': '10000616',
  '\\': '0036',
  ']': '00101606',
  '^': '022042',
  _: '0747',
  '`': '0011',
  a: '1232434616051444',
  b: '00063645433202',
  c: '4332120305163645',
  d: '40461605031242',
  e: '04444332120305163645',
  f: '30201116 0222',
  g: '461605031242473818',
  h: '0006 0312324346',
  i: '0206 0000',
  j: '121708 1010',
  k: '0006 320436',
  l: '000516',
  m: '0602122326 23324346',
  n: '0206 0312324346',
  o: '120305163645433212',
  p: '08023243453606',
  q: '48421203051646',
  r: '0206 031232',
  s: '4212031434453606',
  t: '10152636 0232',
  u: '0205163645 4246',
  v: '022642',
  w: '0216233642',
  x: '0246 4206',
  y: '02051646 42473818',
  z: '02420646',
  '{': '20111203141526',
  '|': '0007',
  '}': '00111223141506',
  '~': '04133443',
};

/** Height of a capital, and space between two characters, in units of the grid. */
export const capitalHeight = 6;
const gap = 1.7;
const blankWidth = 1.5;

/** Whether the font has every character of a text: printable ASCII. */
export function canStroke(text: string): boolean {
  return Array.from(text).every((character) => Object.hasOwn(glyphs, character));
}

/** Width of a text in units of the grid. */
export function strokedWidth(text: string): number {
  const widths = Array.from(text, (character) => widthOf(glyphs[character]));
  return widths.reduce((sum, width) => sum + width + gap, -gap);
}

/**
 * A text as the `d` of an SVG path, to be stroked with round ends and joins (points are strokes of no length).
 *
 * @param x left edge and `y` top of the capitals, in pixels.
 * @param unit pixels of one unit of the grid.
 */
export function strokedText(text: string, x: number, y: number, unit: number): string {
  let left = 0;
  let path = '';
  for (const character of text) {
    for (const stroke of glyphs[character].split(' ').filter(Boolean)) {
      const points = Array.from(stroke.matchAll(/../g), ([point]) => {
        const px = x + (left + Number(point[0])) * unit;
        return `${px.toFixed(2)} ${(y + Number(point[1]) * unit).toFixed(2)}`;
      });
      path += `M${points.join('L')}`;
    }
    left += widthOf(glyphs[character]) + gap;
  }
  return path;
}

function widthOf(glyph: string): number {
  let width = glyph === '' ? blankWidth : 0;
  for (let i = 0; i < glyph.length; i += 2) {
    if (glyph[i] === ' ') i++;
    width = Math.max(width, Number(glyph[i]));
  }
  return width;
}
