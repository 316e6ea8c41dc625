import type { Dataset } from '../../data/dataset.js';
import type { EvaluationData } from '../../evaluate/evaluation-data.js';
import { classList, modelOptions } from '../class-list.js';
import { command, engineOptions, UsageError } from '../command.js';
import { dataOptions, openOptionsOf } from '../data-options.js';
import { requireTarget } from '../free-target.js';
import { measuresOf, metricsOptions } from '../metrics-options.js';
import { outlines } from '../outlines.js';
import { pullProgress } from '../pull-progress.js';
import type { Terminal } from '../terminal.js';
import { testTimeOf, testTimeOptions } from '../test-time-options.js';

export const evalCommand = command({
  ...outlines.eval,
  positionals: {
    source: { type: 'string', describe: 'Run folder, checkpoint, exported .onnx, card, or weights of another project' },
  },
  options: {
    data: { type: 'string', describe: 'Folder or file of the data set (COCO, Pascal VOC, YOLO and others)' },
    ...dataOptions,
    part: { type: 'string', describe: 'Part of it, such as val or test; all of it by default' },
    detections: { type: 'string', describe: 'COCO results (json) to judge in place of a model' },
    truth: { type: 'string', describe: 'COCO ground truth (json) for --detections' },
    against: { type: 'string', describe: 'Other COCO results to compare --detections with, picture by picture' },
    ...metricsOptions,
    results: { type: 'string', describe: "Write the model's detections as COCO results (json)" },
    force: { type: 'boolean', default: false, describe: 'Replace what is already at --results' },
    batch: { type: 'number', default: 1, wholeFrom: 1, describe: 'Pictures in one run of the model, if of equal size' },
    stage: {
      type: 'number',
      wholeFrom: 1,
      describe: 'Stop a Cascade R-CNN behind this stage, counted from 1, with its own scores',
    },
    ...modelOptions,
    ...testTimeOptions,
    ...engineOptions,
  },
  rules: [
    { options: ['truth', 'against'], needs: ['detections'], because: 'it stands beside the results to judge' },
    { options: ['detections'], needs: ['truth'], because: 'that is what they are judged by' },
    {
      options: ['source', 'data', ...Object.keys(dataOptions), 'part', 'results', 'force', 'batch', 'stage'],
      excludes: ['detections'],
      because: 'no model is run',
    },
    {
      options: [...Object.keys({ ...modelOptions, ...testTimeOptions, ...engineOptions })],
      excludes: ['detections'],
      because: 'no model is run',
    },
    { options: ['force'], needs: ['results'], because: 'nothing else is written' },
    { options: ['against'], excludes: ['agnostic'], because: 'what is compared is the mean over classes' },
    { options: ['plus-one'], needs: ['metrics=voc07', 'metrics=voc10'], because: 'no other metric has it' },
  ],
  examples: [
    ['eval runs/cells --data cells/ --part test', 'how good the best checkpoint of a run is'],
    ['eval runs/cells --data cells/ --part test --tta', 'the same with test-time augmentation'],
    ['eval --detections results.json --truth instances_val2017.json', 'judges results of any program'],
    ['eval --detections a.json --against b.json --truth truth.json', 'which is better, and is it more than chance'],
  ],
  async run(
    { source, model, data, part, detections, truth, against, batch, provider, threads, stage, ...args },
    context,
  ) {
    const measures = measuresOf(args);
    if (detections !== undefined && truth !== undefined) {
      const { evalFiles } = await import('../eval-files.js');
      await evalFiles(truth, detections, against, measures, context);
      return 0;
    }
    if (source === undefined || data === undefined) throw new UsageError(whatToJudge);
    if (args.results) requireTarget(args.results, args.force);
    const testTime = await testTimeOf(args);
    const classes = await classList(args.classes);
    const { Detector } = await import('../../predict/detector.js');
    const { openDataset } = await import('../../data/open.js');
    await using detector = await Detector.load(source, {
      ...{ provider, threads, minScore: 0, stage, testTime, model, classes },
      ...{ signal: context.signal, onProgress: pullProgress(context.terminal) },
    });
    if (detector.note !== undefined) context.terminal.note(detector.note);
    const dataset = await openDataset(data, {
      ...openOptionsOf(args),
      ...{ part, classes: detector.classes, signal: context.signal },
    });
    if (args.results) await requireIds(dataset);
    noteData(dataset, context.terminal);
    const { signal, terminal } = context;
    const { evaluate } = await import('../../evaluate/evaluate.js');
    const onProgress = (done: number, total: number) => terminal.progress(`${done} of ${total} pictures`, done / total);
    const { data: judged, tables } = await evaluate(detector, dataset, {
      ...measures.options,
      ...{ batch, signal, onProgress },
    });
    if (args.results) await writeResults(args.results, judged, dataset);
    const objects = dataset.images.reduce((sum, image) => sum + image.objects.length, 0);
    const title = `${terminal.style('bold', dataset.name)}: ${dataset.images.length} pictures, ${objects} objects`;
    const written = args.results ? { results: { path: args.results } } : undefined;
    const all = { data: judged, tables, options: measures.options, signal };
    const { printFigures } = await import('../figures.js');
    await printFigures(all, measures, title, terminal, written);
    return 0;
  },
});

const whatToJudge =
  'What is to be judged? Give a model and --data, or --detections and --truth: boxwright eval runs/cells --data cells/.';

/** Before the model runs for an hour. */
async function requireIds({ name, format, categoryIds }: Dataset): Promise<void> {
  if (categoryIds) return;
  const { BoxwrightError } = await import('../../errors.js');
  const found = format === 'coco' ? 'it lacks some of the classes' : `it is of format ${format}`;
  throw new BoxwrightError('data', `${name}: --results needs the ids of a COCO data set with all classes; ${found}.`);
}

async function writeResults(path: string, data: EvaluationData, { categoryIds }: Dataset): Promise<void> {
  const { cocoResultsText } = await import('../../evaluate/coco/coco-results-text.js');
  const { writeFileAtomically } = await import('../../weights/atomic-file.js');
  await writeFileAtomically(path, cocoResultsText(data, categoryIds!));
}

function noteData({ name, note, images, problems, classes }: Dataset, terminal: Terminal): void {
  if (note !== undefined) terminal.note(`${name}: ${note}`);
  if (problems.length > 0) terminal.warn(`${name}: ${problems.length} annotated boxes were clipped or dropped.`);
  const seen = new Set(images.flatMap(({ objects }) => objects.map(({ label }) => label)));
  const absent = classes.filter((_, label) => !seen.has(label));
  if (absent.length > 0) terminal.warn(`${name}: no object of class ${absent.join(', ')}; it does not count.`);
}
