import type { TrainOptions } from '../../train/config.js';
import type { TrainEvent } from '../../train/events.js';
import type { RateTest } from '../../train/find-rate.js';
import { type Context, command, engineOptions, UsageError } from '../command.js';
import { dataOptions, givenOpenOptions } from '../data-options.js';
import { outlines } from '../outlines.js';
import { pullProgress } from '../pull-progress.js';
import type { Terminal } from '../terminal.js';

/** A test of learning rates ends after a hundred steps, each at a rate of its own. */
const notOfRateTest = [
  ...['out', 'epochs', 'accumulate', 'lr', 'schedule', 'milestones', 'warmup', 'average', 'evaluate-every'],
];

/** What a run has decided when it goes on. */
const ownOfRun = [
  ...['data', 'model', 'weights', 'epochs', 'time', 'batch', 'accumulate', 'optimizer', 'lr', 'weight-decay'],
  ...['schedule', 'milestones', 'warmup', 'clip', 'average', 'freeze', 'rate', 'augment', 'part', 'val-part'],
  ...['evaluate-every', 'seed'],
];

export const trainCommand = command({
  ...outlines.train,
  positionals: {},
  options: {
    data: { type: 'string', describe: 'Folder or file of the data set (COCO, Pascal VOC, YOLO and others)' },
    ...dataOptions,
    model: {
      type: 'string',
      describe:
        "Name of the model, a RefineDet's with its size or without, which the data then choose; by default that of the weights, else refinedet-resnet18",
    },
    weights: { type: 'string', describe: 'Weights to start from: a file of weights of any known format, or a card' },
    out: { type: 'string', describe: 'Folder of the run; runs/<model>-<data> by default' },
    resume: { type: 'boolean', default: false, describe: 'Go on with the run in --out, with its own settings' },
    epochs: { type: 'number', describe: 'Times that every picture is seen; by default some 5000 pictures in all' },
    time: { type: 'string', describe: 'Time that it may take, such as 30m or 1h30m: as many epochs as fit' },
    'find-lr': {
      type: 'boolean',
      default: false,
      describe: 'Try a hundred steps with a rising learning rate, and say which one to take',
    },
    batch: {
      type: 'number',
      describe: 'Pictures in a step; 4, or 8 from 1000 pictures on, or as many as fit into the memory',
    },
    accumulate: { type: 'number', describe: 'Steps whose gradients make one update (default 1)' },
    optimizer: { choices: ['adamw', 'sgd'] as const, describe: 'adamw by default; sgd is what was published' },
    lr: { type: 'number', describe: 'Learning rate; by default from optimizer, model and weights' },
    'weight-decay': { type: 'number', describe: '0.01 for adamw, 0.0005 for sgd by default' },
    schedule: { choices: ['cosine', 'step', 'constant'] as const, describe: 'How the rate falls; cosine by default' },
    milestones: {
      type: 'number',
      array: true,
      describe: 'For step: epochs after which the rate is a tenth, such as 8 11; 2/3 and 5/6 of the run by default',
    },
    warmup: { type: 'number', describe: 'Updates in which the rate rises; a tenth of all, at most 500, by default' },
    clip: { type: 'number', describe: 'Largest length of the gradient (default 10), 0 for none' },
    average: { type: 'number', describe: 'Decay of the averaged weights (default 0.998), 0 for none' },
    freeze: {
      type: 'string',
      array: true,
      describe: 'Parameters that stay, by the start of their names; stem and layer1 by default where there are weights',
    },
    rate: {
      type: 'string',
      array: true,
      describe: 'Factor on the learning rate of a part, such as backbone=0.1',
    },
    augment: {
      type: 'string',
      describe:
        "How pictures are varied: recipe (the model's own, by default), flip or none; after a comma what comes on top, of mosaic, mix-up, scale-jitter, rotate90, cut-out",
    },
    part: { type: 'string', describe: 'Part of the data to learn from; train by default' },
    'val-part': { type: 'string', describe: 'Part to judge by; val by default' },
    'evaluate-every': {
      type: 'number',
      describe: 'Epochs between evaluations; ten of them by default, 0: the end only',
    },
    seed: { type: 'number', describe: 'Decides everything random (default 0)' },
    workers: { type: 'number', describe: 'Threads that load pictures' },
    json: { type: 'boolean', default: false, describe: 'Print every event as a line of JSON, and nothing else' },
    ...engineOptions,
  },
  rules: [
    { options: ['find-lr'], excludes: ['resume', 'time'], because: 'it is no run, and writes nothing' },
    { options: notOfRateTest, excludes: ['find-lr'], because: 'a test of learning rates has no use for it' },
    {
      options: [...ownOfRun, ...Object.keys(dataOptions), ...Object.keys(engineOptions)],
      excludes: ['resume'],
      because: 'a run goes on with its own settings (config.json)',
    },
    { options: ['resume'], needs: ['out'], because: 'that is the folder of the run' },
  ],
  examples: [
    ['train --data cells/', 'train on a folder, with defaults'],
    ['train --data cells/ --weights resnet18.safetensors --epochs 30', 'start from a pretrained backbone'],
    ['train --data cells/ --time 30m', 'as many epochs as fit into half an hour'],
    ['train --resume --out runs/refinedet-resnet18-320-cells', 'go on after a break'],
  ],
  async run(
    {
      lr,
      rate,
      part,
      'val-part': valPart,
      'weight-decay': weightDecay,
      'evaluate-every': evaluateEvery,
      'find-lr': findRate,
      time,
      json,
      data,
      ...args
    },
    context,
  ) {
    if (!data && !args.resume) throw new UsageError('--data is missing: the folder or file of the data set.');
    if (!args.resume) await pullWeights(args.weights, context);
    const { train } = await import('../../train/train.js');
    const options = {
      ...args,
      data: data ?? '',
      open: givenOpenOptions(args),
      learningRate: lr,
      rates: rate && ratesOf(rate),
      trainPart: part,
      valPart,
      weightDecay,
      evaluateEvery,
      time: time === undefined ? undefined : secondsOf(time),
    };
    if (findRate) return tryRates({ ...options, signal: context.signal }, json, context);
    const events = train({ ...options, signal: context.signal });
    await follow(events, json, context);
    return 0;
  },
});

/** `1h30m` as seconds. */
function secondsOf(text: string): number {
  const [whole, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  const sum = 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
  if (whole === undefined || sum === 0)
    throw new UsageError(`--time ${text}: expected hours, minutes or seconds, such as 2h, 30m or 1h30m.`);
  return sum;
}

async function tryRates(options: TrainOptions, json: boolean, { terminal }: Context): Promise<number> {
  const { findLearningRate } = await import('../../train/find-rate.js');
  const test = findLearningRate(options);
  for (;;) {
    const { done, value } = await test.next();
    if (!done) {
      if (json) await terminal.printJson({ kind: 'rate', ...value });
      const { step, steps, learningRate: rate, loss } = value;
      terminal.progress(
        `step ${step} of ${steps}: rate ${rate.toExponential(1)}, loss ${loss.toFixed(3)}`,
        step / steps,
      );
      continue;
    }
    if (json) await terminal.printJson({ kind: 'suggestion', learningRate: value.suggested });
    else await printRates(value, terminal);
    return 0;
  }
}

/** Every tenth point, which is enough to see where the loss turns. */
async function printRates({ points, suggested }: RateTest, terminal: Terminal): Promise<void> {
  await terminal.print(terminal.style('dim', '    rate     loss'));
  for (const { learningRate: rate, smoothed } of points.filter((_, i) => i % 10 === 9 || i === points.length - 1))
    await terminal.print(`${rate.toExponential(1).padStart(8)} ${smoothed.toFixed(3).padStart(8)}`);
  await terminal.print(`Suggested: --lr ${Number(suggested.toPrecision(1))}`);
}

/** Brings weights that a card names before the run begins, which does not show a download. */
async function pullWeights(weights: string | undefined, { terminal, signal }: Context): Promise<void> {
  if (weights === undefined) return;
  const { weightsFile } = await import('../../hub/weights-file.js');
  await weightsFile(weights, { signal, onProgress: pullProgress(terminal) });
}

/** `['backbone=0.1']` as `{ backbone: 0.1 }`. */
function ratesOf(texts: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, part, factor] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (part === undefined || Number.isNaN(Number(factor)))
        throw new UsageError(`--rate ${text}: expected a part and a factor, such as backbone=0.1.`);
      return [part, Number(factor)];
    }),
  );
}

/** Shows a run as it goes. @returns its last event. */
export async function follow(
  events: AsyncIterable<TrainEvent>,
  json: boolean,
  { terminal }: Context,
): Promise<Extract<TrainEvent, { kind: 'end' }> | undefined> {
  const { TrainProgress } = await import('../train-progress.js');
  const progress = new TrainProgress(terminal);
  let end: Extract<TrainEvent, { kind: 'end' }> | undefined;
  for await (const event of events) {
    if (json) await terminal.printJson(event);
    else await progress.show(event);
    if (event.kind === 'end') end = event;
  }
  return end;
}
