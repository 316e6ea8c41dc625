// The files and folders that the documents speak of, small. A name is made once, and copied to where it is needed.
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renderShapes } from '../../../src/cli/demo/demo-data.js';
import { exportOnnx } from '../../../src/export/export-onnx.js';
import type { Tensor } from '../../../src/graph/tensor.js';
import { cachePlace } from '../../../src/hub/cache.js';
import { cocoClasses } from '../../../src/hub/coco-classes.js';
import { cards } from '../../../src/hub/index.js';
import { train } from '../../../src/train/index.js';
import { writeCheckpoint } from '../../../src/weights/checkpoint.js';
import { writeMindspore } from '../../../src/weights/formats/mindspore-writer.js';
import { writeSafetensors } from '../../../src/weights/formats/safetensors.js';
import { inSourceNames } from '../../../src/weights/loading/in-source-names.js';
import { cascadeRcnnMmdetection } from '../../../src/weights/loading/maps/cascade-rcnn-mmdetection.js';
import { type NameMap, sourceName } from '../../../src/weights/loading/maps/name-map.js';
import { torchvisionResNet } from '../../../src/weights/loading/maps/torchvision.js';
import { bytes, cardFor, cardMarkdown } from '../../hub/file-server.js';
import { tinyCheckpoint } from '../../predict/tiny-detector.js';
import { pytorchFile } from '../../weights/torch-writer.js';

const classes = ['RBC', 'WBC', 'Platelets'];
const parts = ['train', 'val', 'test'] as const;
const pictures = { train: 12, val: 4 };

/** The demo's annotation files. */
interface Labels {
  images: { id: number; file_name: string; width: number; height: number }[];
  annotations: { id: number; image_id: number; category_id: number; bbox: number[] }[];
  categories: { id: number; name: string }[];
}

/** Makes `path`; others are asked for by `of`, which gives where they are. */
type Maker = (path: string, of: (name: string) => Promise<string>) => Promise<unknown>;

const labelsOf = async (data: string, part: string) =>
  JSON.parse(await readFile(join(data, 'annotations', `instances_${part}.json`), 'utf8')) as Labels;

/** The demo's pictures, with the shapes called cells, and a part to test on. */
async function renderCells(path: string): Promise<void> {
  await renderShapes(path, { pictures, size: 96, seed: 3 });
  await cp(join(path, 'val'), join(path, 'test'), { recursive: true });
  for (const part of parts) {
    const labels = await labelsOf(path, part === 'test' ? 'val' : part);
    labels.categories = classes.map((name, i) => ({ id: i + 1, name }));
    for (const annotation of labels.annotations)
      annotation.category_id = Math.min(annotation.category_id, classes.length);
    await writeFile(join(path, 'annotations', `instances_${part}.json`), JSON.stringify(labels));
  }
}

/** The same as Pascal VOC: four lists of parts, cut objects, and one without area. */
async function writeBloodCells(path: string, cells: string): Promise<void> {
  for (const folder of ['Annotations', 'JPEGImages', 'ImageSets/Main'])
    await mkdir(join(path, folder), { recursive: true });
  const lists = new Map<string, string[]>();
  let count = 0;
  for (const part of parts) {
    const { images, annotations } = await labelsOf(cells, part);
    const names: string[] = [];
    for (const { id, file_name: file, width, height } of images) {
      const name = `BloodImage_${String(count++).padStart(5, '0')}`;
      const objects = annotations
        .filter(({ image_id }) => image_id === id)
        .map(({ bbox: [x, y, w, h], category_id }) =>
          voc(classes[category_id - 1], [x + 1, y + 1, x + w, y + h].map(Math.round)),
        );
      if (count <= 2) objects.push(voc('RBC', [40, 50, 40, 50]));
      const size = `<size><width>${width}</width><height>${height}</height><depth>3</depth></size>`;
      await copyFile(join(cells, part, file), join(path, 'JPEGImages', `${name}.jpg`));
      await writeFile(
        join(path, 'Annotations', `${name}.xml`),
        `<annotation><filename>${name}.jpg</filename>${size}${objects.join('')}</annotation>`,
      );
      names.push(name);
    }
    lists.set(part, names);
  }
  lists.set('trainval', [...lists.get('train')!, ...lists.get('val')!]);
  for (const [part, names] of lists)
    await writeFile(join(path, 'ImageSets/Main', `${part}.txt`), `${names.join('\n')}\n`);
}

function voc(name: string, [x1, y1, x2, y2]: readonly number[]): string {
  const box = `<bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox>`;
  return `<object><name>${name}</name><truncated>${x1 < 8 ? 1 : 0}</truncated><difficult>0</difficult>${box}</object>`;
}

/** Results of a detector that is off by some pixels. */
async function writeResults(path: string, truth: string, shift: number): Promise<void> {
  const { annotations } = JSON.parse(await readFile(truth, 'utf8')) as Labels;
  const results = annotations.map(({ image_id, category_id, bbox: [x, y, w, h] }, i) => ({
    image_id,
    category_id,
    bbox: [x + shift * Math.sin(i), y + shift * Math.cos(i), w, h],
    score: 0.5 + 0.4 * Math.sin(3 * i),
  }));
  await writeFile(path, JSON.stringify(results));
}

/** As `boxwright detect --json` prints. */
async function writeFound(path: string, cells: string): Promise<void> {
  const { images, annotations } = await labelsOf(cells, 'test');
  const lines = images.map(({ id, file_name: source, width, height }) => {
    const own = annotations.filter(({ image_id }) => image_id === id);
    const detections = own.map(({ category_id, bbox: [x, y, w, h] }) => ({
      label: classes[category_id - 1],
      labelIndex: category_id - 1,
      score: 0.9,
      box: [x, y, x + w, y + h],
    }));
    return JSON.stringify({ source, width, height, detections });
  });
  await writeFile(path, `${lines.join('\n')}\n`);
}

function named(map: NameMap, model: string, own: readonly string[] = classes): Map<string, Tensor> {
  const all = [...tinyCheckpoint(model, own).parameters].map(
    ([name, tensor]) => [sourceName(map, name), tensor] as const,
  );
  return new Map(all.filter((entry): entry is [string, Tensor] => entry[0] !== undefined));
}

const run =
  (model: string, seed: number): Maker =>
  async (path, of) => {
    const data = await of('cells');
    const settings = { epochs: 1, batch: 4, threads: 1, workers: 1, seed };
    for await (const { kind } of train({ model, data, out: path, ...settings })) if (kind === 'warning') continue;
  };

const instances: Maker = async (path, of) => copyFile(join(await of('cells'), 'annotations/instances_val.json'), path);
const results =
  (shift: number): Maker =>
  async (path, of) =>
    writeResults(path, await of('instances.json'), shift);
const same =
  (name: string): Maker =>
  async (path, of) =>
    cp(await of(name), path, { recursive: true });
const somePhotos =
  (seed: number): Maker =>
  (path) =>
    writePhotos(path, seed);

async function writePhotos(path: string, seed: number): Promise<void> {
  await renderShapes(`${path}.set`, { pictures: { train: 1, val: 3 }, size: 120, seed });
  await cp(join(`${path}.set`, 'val'), path, { recursive: true });
}

const makers: Readonly<Record<string, Maker>> = {
  cells: renderCells,
  'coco/': renderCells,
  bccd: async (path, of) => writeBloodCells(path, await of('cells')),
  VOC0712: async (path, of) => writeBloodCells(path, await of('cells')),
  photos: somePhotos(8),
  unlabelled: somePhotos(9),
  'photo.jpg': async (path, of) => copyFile(join(await of('photos'), '000001.jpg'), path),
  'runs/cells': run('refinedet-tiny-64', 0),
  'runs/cells-2': run('refinedet-tiny-64', 1),
  'runs/sgd': same('runs/cells'),
  'runs/adamw': same('runs/cells-2'),
  'runs/animals/best.safetensors': async (path) => {
    await mkdir(dirname(path), { recursive: true });
    await writeCheckpoint(path, tinyCheckpoint('refinedet-tiny-64', ['cat', 'dog']));
  },
  'runs/cascade-rcnn-resnet101-zoo-cells': async (path) => {
    await mkdir(path, { recursive: true });
    await writeCheckpoint(join(path, 'best.safetensors'), tinyCheckpoint('cascade-rcnn-resnet101-zoo', classes));
  },
  'cells.onnx': async (path, of) => exportOnnx(await of('runs/cells'), path),
  'instances.json': instances,
  'instances_val2017.json': instances,
  'truth.json': instances,
  'results.json': results(3),
  'a.json': results(3),
  'b.json': results(5),
  'found.jsonl': async (path, of) => writeFound(path, await of('cells')),
  'resnet18.safetensors': (path) => writeSafetensors(path, named(torchvisionResNet, 'refinedet-tiny-64')),
  'resnet18.pth': async (path) => writeFile(path, pytorchFile('zip', named(torchvisionResNet, 'cascade-rcnn-tiny'))),
  'resnet50.pth': async (path) => writeFile(path, pytorchFile('zip', named(torchvisionResNet, 'cascade-rcnn-tiny'))),
  'epoch_12.pth': (path) => writeMmdetection(path, cocoClasses),
  'model.pth': (path) => writeMmdetection(path, cocoClasses),
  'blood/epoch_12.pth': (path) => writeMmdetection(path, ['cat', ...classes.slice(0, 2)]),
  'a.ckpt': async (path) => {
    const model = 'refinedet-vgg16-320-zoo';
    const tensors = inSourceNames(model, 'mindspore', tinyCheckpoint(model, cocoClasses).parameters);
    const misnamed = [...tensors].map(
      ([name, tensor]) => [name.replace('tcb.p0.0.weight', 'tcb.p0.first.weight'), tensor] as const,
    );
    await writeMindspore(path, new Map(misnamed));
  },
  'path/to/card.md': async (path) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, cardMarkdown(otherCard()));
  },
  'unreachable/refinedet_coco2017.md': async (path) => {
    const [{ asset, ...card }] = cards();
    await mkdir(dirname(path), { recursive: true });
    const url = asset.url.replace('download.mindspore.cn', 'download.mindspore.invalid');
    await writeFile(path, cardMarkdown({ ...card, asset: { ...asset, url } }));
  },
  'boxwright.config.json': (path) =>
    writeFile(
      path,
      JSON.stringify({ train: { data: 'bccd', model: 'refinedet-tiny-64', out: 'runs/sgd', optimizer: 'sgd' } }),
    ),
};

async function writeMmdetection(path: string, own: readonly string[]): Promise<void> {
  const tensors = named(cascadeRcnnMmdetection, 'cascade-rcnn-tiny', own);
  const beside = [['meta', new Map([['CLASSES', own]])]] as const;
  await writeFile(path, pytorchFile('zip', tensors, { wrapper: 'state_dict', beside }));
}

/** A card of MindSpore Hub that boxwright does not know. */
const otherContent = bytes(100_000);
const otherCard = () => cardFor('https://download.mindspore.cn/other.ckpt', otherContent, { name: 'card' });

/** What the cards name, as if it had been pulled: nothing is downloaded. Tiny detectors of COCO's classes, in truth. */
export async function fillCache(cache: string): Promise<void> {
  const other = cachePlace(cache, otherCard());
  await mkdir(other.folder, { recursive: true });
  await writeFile(other.file, otherContent);
  for (const card of cards()) {
    const { folder, file, stamp } = cachePlace(cache, card);
    await mkdir(folder, { recursive: true });
    const model = card.model?.startsWith('cascade') ? 'cascade-rcnn-tiny' : 'refinedet-tiny-64';
    const { parameters } = tinyCheckpoint(model, cocoClasses);
    await writeMindspore(file, new Map([...parameters].map(([name, tensor]) => [`network.${name}`, tensor])));
    const { size, mtimeMs } = await stat(file);
    await writeFile(stamp, JSON.stringify({ sha256: card.asset.sha256, size, mtimeMs }));
  }
}

/** Names in the order in which they are looked for: the longest first. */
const names = Object.keys(makers).sort((a, b) => b.length - a.length);

export class Fixtures {
  readonly #folder: string;
  readonly #made = new Map<string, Promise<string>>();

  /** @param folder where they are made */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the fixture is. */
  of = (name: string): Promise<string> => {
    const made = this.#made.get(name) ?? this.#make(name);
    this.#made.set(name, made);
    return made;
  };

  async #make(name: string): Promise<string> {
    const path = join(this.#folder, name);
    await mkdir(dirname(path), { recursive: true });
    await makers[name](path, this.of);
    return path;
  }

  /** Takes what a document has made for what others begin with, unless that is made already. */
  async adopt(folder: string, written: readonly string[]): Promise<void> {
    for (const name of written) {
      if (!Object.hasOwn(makers, name) || this.#made.has(name)) continue;
      const path = join(this.#folder, name);
      await mkdir(dirname(path), { recursive: true });
      await cp(join(folder, name), path, { recursive: true });
      this.#made.set(name, Promise.resolve(path));
    }
  }

  /** Copies to `folder` whatever `text` names, unless it is there or is among `written`. */
  async provide(folder: string, text: string, written: readonly string[] = []): Promise<void> {
    for (const name of names) {
      const pattern = new RegExp(
        `(?<![\\w/.-])${name.replaceAll('.', '\\.')}${name.endsWith('/') ? '' : '(?![\\w.-])'}`,
      );
      if (!pattern.test(text) || written.some((path) => path.replace(/\/$/, '') === name)) continue;
      const to = join(folder, name);
      if (existsSync(to)) continue;
      await mkdir(dirname(to), { recursive: true });
      await cp(await this.of(name), to, { recursive: true });
    }
  }
}
