import sharp from 'sharp';
import { augmentMixed, type PictureTarget } from '../../data/augment/augment.js';
import { composeMosaic, type LabelledPicture } from '../../data/augment/compose.js';
import { randomStream } from '../../data/augment/random.js';
import {
  type AugmentationRecipe,
  cascadeZooAugmentation,
  type DatasetImage,
  decodePicture,
  extraNames,
  type Inspection,
  noAugmentation,
  paperAugmentation,
  withExtras,
  zooAugmentation,
} from '../../data/index.js';
import { escapeHtml } from '../page/html.js';
import { pictureSvg } from '../page/picture-svg.js';
import { pageEnd, pageHead } from './sheet-page.js';

export interface PreviewOptions {
  /** Decides what is drawn. */
  readonly seed: number;
}

/** Pictures that are shown. */
const PICTURES = 12;

/** Longest side of a small picture. */
const SIZE = 320;

/** What is shown beside each picture: the models' own recipes, and each augmentation that can be added, alone and sure. */
const columns: readonly { readonly name: string; readonly recipe: AugmentationRecipe }[] = [
  { name: 'original', recipe: noAugmentation },
  { name: 'flip', recipe: { flip: true } },
  { name: 'SSD and RefineDet', recipe: paperAugmentation },
  { name: 'RefineDet, zoo', recipe: zooAugmentation },
  { name: 'Cascade R-CNN, zoo', recipe: { ...cascadeZooAugmentation, flip: true, pixelBoxes: false } },
  ...extraNames.map((name) => ({ name, recipe: alwaysActing(withExtras({}, [name])) })),
];

function alwaysActing(recipe: AugmentationRecipe): AugmentationRecipe {
  const { mosaic, mixUp, cutOut } = recipe;
  return {
    ...recipe,
    ...(mosaic ? { mosaic: { ...mosaic, chance: 1 } } : {}),
    ...(mixUp ? { mixUp: { ...mixUp, chance: 1 } } : {}),
    ...(cutOut ? { cutOut: { ...cutOut, chance: 1 } } : {}),
  };
}

/** A page of a dozen pictures, each before and after every augmentation, with the boxes as they are learnt. */
export async function* augmentationPreview(inspection: Inspection, { seed }: PreviewOptions): AsyncGenerator<string> {
  const { parts, pictures, classes, path } = inspection;
  const usable = parts[0].dataset.images.filter((image) => pictures.get(image.path)?.size && image.objects.length > 0);
  const count = Math.min(PICTURES, usable.length);
  const chosen = Array.from({ length: count }, (_, i) => usable[Math.floor((i * usable.length) / count)]);
  yield pageHead(`${path}: augmentations`, '.columns { min-width: 110rem; }');
  yield `<h1>${escapeHtml(path)}: augmentations</h1><p class="quiet">${chosen.length} pictures, seed ${seed}. What can be added to a recipe is shown alone, and always acting.</p>\n`;
  yield `<div class="scroll" role="group" tabindex="0" aria-label="Augmentations"><table class="columns"><thead><tr>${columns.map(({ name }) => `<th scope="col">${escapeHtml(name)}</th>`).join('')}</tr></thead><tbody>\n`;
  for (const [i, image] of chosen.entries()) {
    const others = [1, 2, 3].map((step) => chosen[(i + step) % chosen.length]);
    const labelled = await Promise.all([image, ...others].map(load));
    yield '<tr>';
    for (const [column, { name, recipe }] of columns.entries()) {
      const label = `${image.name}, ${name}`;
      yield `<td>${await cell(label, labelled, recipe, classes, [seed, i, column])}</td>`;
    }
    yield '</tr>\n';
  }
  yield `</tbody></table></div>${pageEnd()}`;
}

async function load({ path, name, objects }: DatasetImage): Promise<LabelledPicture> {
  const picture = await decodePicture(path, { name });
  const boxes = Float64Array.from(objects.flatMap(({ box }) => box));
  return { picture, objects: { boxes, labels: Int32Array.from(objects, ({ label }) => label + 1) } };
}

async function cell(
  label: string,
  [own, ...others]: readonly LabelledPicture[],
  recipe: AugmentationRecipe,
  classes: readonly string[],
  [seed, row, column]: readonly [number, number, number],
): Promise<string> {
  const random = randomStream(seed, column, row);
  const source = recipe.mosaic ? composeMosaic([own, ...others], random) : own;
  const { width, height } = source.picture;
  const scale = SIZE / Math.max(width, height);
  const canvas = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  const target: PictureTarget = { resize: { kind: 'stretch', size: SIZE }, canvas };
  const out = new Uint8ClampedArray(canvas.width * canvas.height * 3);
  const mixed = { other: others[0], maxBoxes: Number.POSITIVE_INFINITY };
  const { objects } = augmentMixed(recipe, source, mixed, target, random, out);
  const raw = { width: canvas.width, height: canvas.height, channels: 3 } as const;
  const jpeg = await sharp(out, { raw }).jpeg({ quality: 75 }).toBuffer();
  const boxes = Array.from(objects.labels, (label, i) => ({
    box: objects.boxes
      .subarray(i * 4, i * 4 + 4)
      .map((side, at) => side * (at % 2 === 0 ? canvas.width : canvas.height)),
    label: label - 1,
    title: classes[label - 1],
  }));
  return pictureSvg(jpeg, canvas, boxes, label);
}
