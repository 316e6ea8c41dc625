// How the documents' snippets are made affordable for a test, and which cannot be executed. Every entry has to match a
// snippet, or the test fails: what is not needed any more goes.

/** What is written in place of what a snippet has. */
export interface Substitution {
  readonly find: RegExp;
  readonly put: string;
  readonly why: string;
}

/** Options that a command is given, in place of its own of that name. */
export interface OptionRule {
  readonly of: RegExp;
  readonly set: Readonly<Record<string, string>>;
  readonly why: string;
}

/** Snippets that are not executed, or not in the quick test. */
export interface Exception {
  /** Matched against a command line, or against the whole of a snippet of another language. */
  readonly find: RegExp;
  /** Only in this document. */
  readonly file?: string;
  readonly why: string;
}

const tiny = 'a step of the tiny one takes milliseconds; the others are trained and run in test/models';

/** For command lines and programs, in this order. */
export const substitutions: readonly Substitution[] = [
  { find: /\brefinedet-(resnet18|vgg16)-320\b(?!-zoo)/g, put: 'refinedet-tiny-64', why: tiny },
  { find: /\brefinedet-tiny-192\b/g, put: 'refinedet-tiny-64', why: tiny },
  { find: /\bcascade-rcnn-resnet(18|50)\b/g, put: 'cascade-rcnn-tiny', why: tiny },
  {
    find: /(?<=boxwright (?:train --weights|detect) cascadercnn_coco2017.*)$/,
    put: ' --model cascade-rcnn-tiny',
    why: 'the cache holds a tiny detector under the name of the card; test/hub has the real size',
  },
  {
    find: /(?<=boxwright (?:train --weights|detect) refinedet_coco2017.*)$/,
    put: ' --model refinedet-tiny-64',
    why: 'the cache holds a tiny detector under the name of the card; test/hub has the real size',
  },
  {
    find: /(?<=Detector\.load\('cascadercnn_coco2017', \{ )/,
    put: "model: 'cascade-rcnn-tiny', ",
    why: 'the cache holds a tiny detector under the name of the card; test/hub has the real size',
  },
  {
    find: /(?<=boxwright (?:convert|detect) epoch_12\.pth.*)$/,
    put: ' --model cascade-rcnn-tiny',
    why: "the file has mmdetection's names but the tiny model's shapes, which are recognised as no model's",
  },
  { find: /"epochs": 40/, put: '"epochs": 1, "threads": 1', why: 'one epoch shows it' },
  { find: /epochs: 40/, put: 'epochs: 1, threads: 1, workers: 1', why: 'one epoch shows it' },
  { find: /^python detect\.py/, put: 'python examples/detect.py', why: 'said from within examples/' },
  { find: /(?<=examples\/fine-tune\.mjs .*)$/, put: ' 1', why: 'one epoch shows it' },
  { find: /\b8080\b/, put: '18080', why: 'something else may be listening on 8080' },
];

const cores = 'the cores of the machine are for other tests too';

/** For boxwright's own commands. */
export const optionRules: readonly OptionRule[] = [
  {
    of: /^boxwright train\b.*--milestones/,
    set: { batch: '4', threads: '1', workers: '1' },
    why: 'milestones are epochs of the run; its 36 steps are not many',
  },
  {
    of: /^boxwright train\b(?!.*--(resume|milestones|find-lr))/,
    set: { epochs: '1', batch: '4', threads: '1', workers: '1' },
    why: 'one epoch of three batches shows that it trains',
  },
  { of: /^boxwright train\b.*--find-lr/, set: { batch: '4', threads: '1', workers: '1' }, why: cores },
  { of: /^boxwright (eval|detect)\b(?!.*--detections)/, set: { threads: '1' }, why: cores },
];

/** Never executed here. */
export const exceptions: readonly Exception[] = [
  { find: /^git clone/, why: 'the clone is where this test runs' },
  { find: /^npm run demo/, why: 'minutes; test/cli/demo.full.test.ts runs it' },
  { find: /^npm run bench/, why: 'minutes each, and measures nothing beside other tests' },
  { find: /npm install boxwright$/, why: 'asks the registry; .ci/run installs the packed package' },
  { find: /onnxruntime-node\/script\/install\.js/, why: 'downloads CUDA libraries' },
  {
    find: /^Chosen, as nothing was given/,
    why: 'of a run with every default, which takes half an hour; test/train/plan.test.ts has such a plan',
  },
  { find: /from 'boxwright\/browser'/, why: 'needs a browser; test/browser/detector.test.ts does it in Chromium' },
  { find: /^g\+\+ |^\.\/detect /, why: 'needs g++ and ONNX Runtime for C++; test/export/cpp.test.ts does it' },
  { find: /film\.mp4|^ffmpeg/, why: 'needs ffmpeg and a film; test/cli/examples.test.ts pipes raw frames' },
];

const training = 'a training session takes seconds to build; test/train trains in the quick tests';

/** Left to the full test. */
export const slow: readonly Exception[] = [
  { find: /^(npx )?boxwright train\b/, why: training },
  { find: /from 'boxwright\/train'/, why: training },
  { find: /"train": \{/, why: training },
  { find: /^(node|curl|python) .*(examples\/|detect\.py|localhost)/, why: 'test/cli/examples.test.ts runs them' },
  { find: /convert runs\/cascade-rcnn-resnet101-zoo-cells cells\.ckpt/, why: 'the zoo has large models only' },
  { find: /^error: a\.ckpt: lacks/, why: 'the zoo has large models only' },
];

/** Trained in the quick test all the same: the first thing that README shows. */
export const quickAllTheSame: readonly Exception[] = [
  { find: /boxwright train .*--out runs\/cells/, file: 'README.md', why: 'what follows works on this run' },
];

/** Languages whose snippets are not executed, with the reason. */
export const otherLanguages: Readonly<Record<string, string>> = {};

/** Files that a command takes without naming them. */
export const given: readonly { file: string; before: RegExp; fixture: string }[] = [
  { file: 'docs/field-notes.md', before: /train --find-lr/, fixture: 'boxwright.config.json' },
];

/** Programs that go on until they are stopped: ended by SIGTERM behind their snippet. */
export const servers: readonly RegExp[] = [/examples\/service\.mjs/];

/** Output that a document shows without the command right above it. */
export interface ShownOutput {
  readonly file: string;
  readonly begins: string;
  readonly command: string;
  readonly code: number;
  /** What is otherwise here than in the document, as a regular expression's source. */
  readonly otherwise?: Readonly<Record<string, string>>;
}

export const shownOutputs: readonly ShownOutput[] = [
  {
    file: 'docs/finetune.md',
    begins: '311 parameters from epoch_12.pth',
    command: 'boxwright train --weights blood/epoch_12.pth --model cascade-rcnn-resnet50 --data cells/ --out runs/said',
    code: 0,
    otherwise: { 'epoch_12.pth': '.*blood/epoch_12[.]pth' },
  },
  {
    file: 'docs/hub.md',
    begins: 'error: cannot download https://download.mindspore.cn/',
    command: 'BOXWRIGHT_CACHE=empty boxwright pull unreachable/refinedet_coco2017.md',
    code: 1,
    otherwise: {
      'download.mindspore.cn': 'download.mindspore.invalid',
      '~/.cache/boxwright': '.*',
      'the name of the server cannot be looked up: is there a network?':
        '(the name of the server .*|the server is not found)',
    },
  },
  {
    file: 'docs/weights.md',
    begins: 'error: a.ckpt: lacks',
    command: 'boxwright detect a.ckpt photo.jpg --model refinedet-vgg16-320-zoo --classes coco',
    code: 1,
  },
  {
    file: 'docs/json.md',
    begins: '{"error":',
    command: 'boxwright eval runs/cells --data cells/ --part nowhere --json',
    code: 1,
  },
  {
    file: 'docs/json.md',
    begins: '{"kind":"step"',
    command: 'boxwright train --json --model refinedet-resnet18-320 --data cells/ --out runs/lines',
    code: 0,
  },
  {
    file: 'docs/json.md',
    begins: '{"kind":"rate"',
    command: 'boxwright train --find-lr --json --model refinedet-resnet18-320 --data cells/',
    code: 0,
  },
];

/** What a settings file is executed by: a command of each of its names, with what it does not say. */
export const withSettings: Readonly<Record<string, string>> = {
  train: 'boxwright train --out runs/by-settings',
  detect: 'boxwright detect runs/cells photos/',
};
