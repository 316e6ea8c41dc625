import { barTable } from '../page/bar-table.js';
import { short, table } from '../page/html.js';
import type { PartFigures, RunData, Spread } from './part-figures.js';

/** What the parts of the data set hold; empty for a run that does not tell. */
export function dataSection(card: RunData | undefined): string {
  if (!card) return '';
  const row = (name: string, of: (part: PartFigures) => string | number) => [name, ...card.parts.map(of)];
  const spread = ([least, median, most]: Spread) =>
    [least, median, most].map((value) => short(Math.round(value))).join(' / ');
  const facts = [
    row('Pictures', ({ pictures }) => pictures),
    row('Objects', ({ objects }) => objects),
    row('Pictures without objects', ({ empty }) => empty),
    row('Objects that do not count (crowds, difficult)', ({ leftOut }) => leftOut),
    row('Small objects, up to 32²', ({ sizes }) => sizes.small),
    row('Medium objects, up to 96²', ({ sizes }) => sizes.medium),
    row('Large objects', ({ sizes }) => sizes.large),
    row('Objects in a picture: least / median / most', ({ objectsPerPicture }) => spread(objectsPerPicture)),
    row('Width of pictures: least / median / most', ({ width }) => spread(width)),
    row('Height of pictures: least / median / most', ({ height }) => spread(height)),
    row('√ of boxes’ area: least / median / most', ({ side }) => spread(side)),
    row('Boxes clipped or dropped', ({ problems }) => problems),
  ];
  const bars = card.parts.map((part) => {
    const classBars = card.classes.map((name, k) => ({
      name,
      value: part.objectsPerClass[k],
      text: `${part.objectsPerClass[k]}`,
      note: `${part.picturesPerClass[k]}`,
    }));
    return `<div class="card">${barTable(`Objects by class: ${part.name}`, ['Class', 'Objects', 'Pictures'], classBars)}</div>`;
  });
  return `<div class="card">${table('What the data holds', ['What', ...card.parts.map(({ name }) => name)], facts)}</div><div class="charts card-grid">${bars.join('')}</div>`;
}
