import type { Dataset } from '../data/dataset.js';
import type { CocoResult } from '../evaluate/coco.js';
import type { Detector } from '../predict/detector.js';
import { type Context, command, engineOptions } from './command.js';
import type { Terminal } from './terminal.js';
import { testTimeOf, testTimeOptions } from './test-time-options.js';

export const evalCommand = command({
  usage: 'eval <model>',
  about: "Measure a model on a labelled data set with COCO's figures",
  positionals: {
    model: { type: 'string', demandOption: true, describe: 'Run folder, .safetensors checkpoint or exported .onnx' },
  },
  options: {
    data: { type: 'string', demandOption: true, describe: 'Folder or file of the data set (Pascal VOC or COCO)' },
    part: { type: 'string', describe: 'Part of it, such as val or test; all of it by default' },
    json: {
      type: 'boolean',
      default: false,
      describe: 'Print the figures as JSON at full precision, and nothing else',
    },
    batch: { type: 'number', default: 1, describe: 'Pictures in one run of the model, if of equal size' },
    stage: { type: 'number', describe: 'Stop a Cascade R-CNN behind this stage, counted from 1, with its own scores' },
    ...testTimeOptions,
    ...engineOptions,
  },
  examples: [
    ['eval runs/cells --data cells/ --part test', 'how good the best checkpoint of a run is'],
    ['eval runs/cells --data cells/ --part test --tta', 'the same with test-time augmentation'],
  ],
  async run({ model, data, part, json, batch, provider, threads, stage, ...args }, context) {
    const testTime = await testTimeOf(args);
    const { Detector } = await import('../predict/detector.js');
    const { openDataset } = await import('../data/open.js');
    await using detector = await Detector.load(model, { provider, threads, minScore: 0, stage, testTime });
    const dataset = await openDataset(data, { part, classes: detector.classes });
    noteData(dataset, context.terminal);
    const result = await evaluated(detector, dataset, batch, context);
    if (json) await context.terminal.print(JSON.stringify(result));
    else await printTable(result, dataset, context.terminal);
    return 0;
  },
});

async function evaluated(
  detector: Detector,
  dataset: Dataset,
  batch: number,
  { terminal, signal }: Context,
): Promise<CocoResult> {
  const { evaluateDetections } = await import('../evaluate/evaluate-model.js');
  const paths = dataset.images.map(({ path }) => path);
  const found = detector.stream(paths, { batch, signal });
  return evaluateDetections(dataset, arrays(found), (done) => {
    terminal.progress(`${done} of ${paths.length} pictures`);
  });
}

async function* arrays(found: ReturnType<Detector['stream']>) {
  for await (const picture of found) {
    if ('error' in picture) throw picture.error;
    const { width, height, detections } = picture;
    yield {
      width,
      height,
      detections: {
        boxes: detections.flatMap(({ box }) => box),
        labels: detections.map(({ labelIndex }) => labelIndex),
        scores: detections.map(({ score }) => score),
      },
    };
  }
}

function noteData({ name, images, problems, classes }: Dataset, terminal: Terminal): void {
  if (problems.length > 0) terminal.warn(`${name}: ${problems.length} annotated boxes were clipped or dropped.`);
  const seen = new Set(images.flatMap(({ objects }) => objects.map(({ label }) => label)));
  const absent = classes.filter((_, label) => !seen.has(label));
  if (absent.length > 0) terminal.warn(`${name}: no object of class ${absent.join(', ')}; it does not count.`);
}

async function printTable({ coco, perClass }: CocoResult, dataset: Dataset, terminal: Terminal): Promise<void> {
  const objects = dataset.images.reduce((sum, image) => sum + image.objects.length, 0);
  const percent = (value: number) => (value < 0 ? '–' : (100 * value).toFixed(1)).padStart(6);
  const width = Math.max(10, ...Object.keys(perClass).map((name) => name.length));
  const row = (name: string, values: readonly number[]) => `${name.padEnd(width)}${values.map(percent).join('')}`;
  const head = (name: string, columns: readonly string[]) =>
    terminal.style('dim', `${name.padEnd(width)}${columns.map((column) => column.padStart(6)).join('')}`);
  const lines = [
    `${terminal.style('bold', dataset.name)}: ${dataset.images.length} pictures, ${objects} objects; percent`,
    '',
    head('precision', ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl']),
    row('', [coco.AP, coco.AP50, coco.AP75, coco.APs, coco.APm, coco.APl]),
    head('recall', ['AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl']),
    row('', [coco.AR1, coco.AR10, coco.AR100, coco.ARs, coco.ARm, coco.ARl]),
    '',
    head('class', ['AP', 'AP50']),
    ...Object.entries(perClass).map(([name, { AP, AP50 }]) => row(name, [AP, AP50])),
  ];
  for (const line of lines) await terminal.print(line);
}
