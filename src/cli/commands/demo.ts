import type { PictureDetections } from '../../predict/formats/index.js';
import { duration } from '../../report/page/duration.js';
import { type Context, command, engineOptions, UsageError } from '../command.js';
import { outlines } from '../outlines.js';
import { follow } from './train.js';

/** What fits into three minutes on two cores, rendering and all. */
const plan = { model: 'refinedet-tiny-192', epochs: 7, batch: 8, learningRate: 2e-3, augment: 'flip' } as const;
const pictures = { train: 720, val: 80 };
const drawnPictures = 12;

export const demoCommand = command({
  ...outlines.demo,
  positionals: {},
  options: {
    out: { type: 'string', default: 'boxwright-demo', describe: 'Folder for pictures, run, drawings and model' },
    resume: { type: 'boolean', default: false, describe: 'Go on where an interrupted demo stopped' },
    epochs: { type: 'number', default: plan.epochs, describe: 'Times that every picture is seen' },
    json: {
      type: 'boolean',
      default: false,
      describe: 'Print every event, and at the end what there is, as lines of JSON, and nothing else',
    },
    ...engineOptions,
  },
  rules: [
    {
      options: ['epochs', ...Object.keys(engineOptions)],
      excludes: ['resume'],
      because: 'the demo goes on with its own',
    },
  ],
  examples: [
    ['demo', 'from nothing to an exported detector'],
    ['demo --resume', 'after Ctrl-C'],
  ],
  async run({ out, resume, epochs, threads, provider, json }, context) {
    const { join } = await import('node:path');
    const began = performance.now();
    const paths = {
      data: join(out, 'shapes'),
      run: join(out, 'run'),
      drawings: join(out, 'detected'),
      model: join(out, 'model.onnx'),
    };
    await requireFresh(paths.run, out, resume);
    await render(paths.data, json, context);
    const { train } = await import('../../train/train.js');
    const { existsSync } = await import('node:fs');
    const going = resume && existsSync(join(paths.run, 'config.json'));
    const settings = going ? { resume: true } : { ...plan, epochs, threads, provider, evaluateEvery: 3 };
    const where = { model: plan.model, data: paths.data, out: paths.run, signal: context.signal };
    const end = await follow(train({ ...settings, ...where }), json, context);
    if (context.signal.aborted || end?.reason !== 'completed') {
      context.terminal.note(
        `The demo goes on with: boxwright demo --resume${out === 'boxwright-demo' ? '' : ` --out ${out}`}`,
      );
      return undefined;
    }
    await draw(paths, json, context);
    const unseen = await exportAndTry(paths);
    const seconds = (performance.now() - began) / 1000;
    if (json) {
      const { jsonPicture } = await import('../../predict/formats/index.js');
      await context.terminal.printJson({ kind: 'demo', ...paths, unseen: jsonPicture(unseen), seconds });
    } else for (const line of summary(out, paths, unseen, seconds)) await context.terminal.print(line);
    return 0;
  },
});

interface Paths {
  readonly data: string;
  readonly run: string;
  readonly drawings: string;
  readonly model: string;
}

/** A finished demo is not overwritten by accident, and not taken for a new one. */
async function requireFresh(run: string, out: string, resume: boolean): Promise<void> {
  const { existsSync } = await import('node:fs');
  if (!resume && existsSync(run)) {
    throw new UsageError(
      `There is a demo in ${out} already. Go on with it by --resume, remove the folder, or choose another one by --out.`,
    );
  }
}

async function render(path: string, json: boolean, { terminal, signal }: Context): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  const { renderShapes } = await import('../demo/demo-data.js');
  await mkdir(dirname(path), { recursive: true });
  const onPicture = (done: number, total: number) =>
    terminal.progress(`rendering pictures: ${done} of ${total}`, done / total);
  const rendered = await renderShapes(path, { pictures, onPicture, signal });
  if (json) return terminal.printJson({ kind: 'pictures', path, pictures, rendered });
  await terminal.print(
    rendered
      ? `Rendered ${pictures.train + pictures.val} pictures of coloured shapes into ${path}`
      : `Pictures are in ${path} already`,
  );
}

/** The best checkpoint's detections drawn into pictures that were not learnt from. */
async function draw({ data, run, drawings }: Paths, json: boolean, { terminal, signal }: Context): Promise<void> {
  const { mkdir, readdir } = await import('node:fs/promises');
  const { basename, join } = await import('node:path');
  const { Detector } = await import('../../predict/detector.js');
  const { drawDetectionsTo } = await import('../../report/drawing/draw.js');
  const names = (await readdir(join(data, 'val'))).sort().slice(0, drawnPictures);
  await mkdir(drawings, { recursive: true });
  await using detector = await Detector.load(run, { minScore: 0.4 });
  for await (const picture of detector.stream(
    names.map((name) => join(data, 'val', name)),
    { signal },
  )) {
    if ('error' in picture) throw picture.error;
    await drawDetectionsTo(join(drawings, basename(picture.source)), picture.source, picture.detections);
  }
  if (json) return terminal.printJson({ kind: 'drawings', path: drawings, pictures: names.length });
  await terminal.print(`Drew what it finds in ${names.length} pictures into ${drawings}`);
}

/** Exports the model and runs the file on a picture that neither training nor evaluation had, of another size. */
async function exportAndTry({ data, run, drawings, model }: Paths): Promise<PictureDetections> {
  const { join } = await import('node:path');
  const { exportOnnx } = await import('../../export/export-onnx.js');
  const { Detector } = await import('../../predict/detector.js');
  const { drawDetectionsTo } = await import('../../report/drawing/draw.js');
  const { renderShapes } = await import('../demo/demo-data.js');
  const { readdir } = await import('node:fs/promises');
  await exportOnnx(run, model, { force: true });
  const unseen = `${data}-unseen`;
  await renderShapes(unseen, { pictures: { train: 1, val: 1 }, seed: 2026, size: 288 });
  const [name] = await readdir(join(unseen, 'val'));
  const picture = join(unseen, 'val', name);
  await using detector = await Detector.load(model, { minScore: 0.4 });
  const [found] = await detector.detect([picture]);
  await drawDetectionsTo(join(drawings, 'unseen.jpg'), picture, found.detections);
  return found;
}

function summary(
  out: string,
  { data, run, drawings, model }: Paths,
  { detections }: PictureDetections,
  seconds: number,
): string[] {
  const objects = detections.map(({ label, score }) => `${label} ${score.toFixed(2)}`);
  const rows = [
    ['pictures', data],
    ['run', `${run} (report.html to look at, config.json, events.jsonl, best.safetensors)`],
    ['drawings', drawings],
    ['model', `${model} (runs in Python, C++, C#, Rust and the browser too)`],
  ];
  return [
    `${model} on a picture it has never seen: ${objects.join(', ') || 'nothing'}`,
    '',
    `All of it took ${duration(seconds)}. In ${out}:`,
    ...rows.map(([what, where]) => `  ${what.padEnd(9)} ${where}`),
    '',
    'Now on your own pictures:  npx boxwright train --data <folder>',
  ];
}
