import type { AnyCommand, Outline } from './command.js';

/** What the overview of `boxwright --help` says of each command, in its order. Apart, since it needs nothing else of them. */
export const outlines = {
  demo: {
    usage: 'demo',
    about: 'Everything once, on pictures of its own: train, evaluate, detect, export (about three minutes)',
  },
  train: {
    usage: 'train',
    about: 'Train a detector on your own pictures',
  },
  eval: {
    usage: 'eval [source]',
    about: "Measure a model on a labelled data set, or anyone's detections, with COCO's figures",
  },
  data: {
    usage: 'data <path>',
    about: 'Show what a data set holds and what is wrong with it, and repair it in a copy',
  },
  detect: {
    usage: 'detect <source> <pictures..>',
    about: 'Find objects in pictures',
  },
  export: {
    usage: 'export <source> <out>',
    about: 'Write a trained model as an ONNX file that runs anywhere',
  },
  pull: {
    usage: 'pull [card]',
    about: 'Download published weights and check them; without a card: list what there is',
  },
  doctor: {
    usage: 'doctor',
    about: 'Check whether this machine can run boxwright, and say what to do where it cannot',
  },
  info: {
    usage: 'info <file>',
    about: 'Show what a file of weights holds and which models it fits',
  },
  convert: {
    usage: 'convert <from> <out>',
    about: 'Write weights of any format as a checkpoint or a MindSpore file, or a data set in another format',
  },
  report: {
    usage: 'report <run>',
    about: "Write a run's report.html again from its folder",
  },
  compare: {
    usage: 'compare <first> <second>',
    about: 'Two runs side by side: settings that differ, figures, classes, curves',
  },
} as const satisfies Readonly<Record<string, Outline>>;

/** The commands as far as an overview, the version, or an answer to a word that is no command needs them. */
export const outlined: readonly AnyCommand[] = Object.values(outlines).map((outline) => ({
  ...outline,
  positionals: {},
  options: {},
  run: async () => undefined,
}));

/** Whether a line names a command, or is what a shell asks for completion. */
export function namesCommand(line: readonly string[]): boolean {
  return asksForCompletion(line) || line.some((word) => Object.hasOwn(outlines, word));
}

/** Whether a line may ask for a shell's script, or be what that script asks while somebody types. */
export function asksForCompletion(line: readonly string[]): boolean {
  return line.includes('completion') || line.includes('complete');
}
