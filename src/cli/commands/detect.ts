import { classList, modelOptions } from '../class-list.js';
import { command, engineOptions, UsageError } from '../command.js';
import { outlines } from '../outlines.js';
import { testTimeOf, testTimeOptions } from '../test-time-options.js';

const formats = ['json', 'coco', 'voc', 'yolo'] as const;

export const detectCommand = command({
  ...outlines.detect,
  positionals: {
    source: {
      type: 'string',
      demandOption: true,
      describe: 'Run folder, checkpoint, exported .onnx, card, or weights of another project',
    },
    pictures: { type: 'string', array: true, demandOption: true, describe: 'Files, folders or glob patterns' },
  },
  options: {
    'min-score': {
      type: 'string',
      default: '0.3',
      describe: "Leave out detections of a lower score, 0 to 1; suggested: each class's best, found in training",
    },
    json: { type: 'boolean', default: false, describe: 'Print a line of JSON a picture, and nothing else' },
    draw: { type: 'string', describe: 'Folder for pictures with the boxes drawn in' },
    format: { choices: formats, describe: 'Format of --out: a file (json, coco) or a folder (voc, yolo)' },
    out: { type: 'string', describe: 'Where to write the detections; JSON lines without --format' },
    'ground-truth': { type: 'string', describe: 'COCO file that has the image and category ids, for --format coco' },
    force: { type: 'boolean', default: false, describe: 'Replace what is already at --out and in --draw' },
    batch: { type: 'number', default: 1, wholeFrom: 1, describe: 'Pictures in one run of the model, if of equal size' },
    ...modelOptions,
    ...testTimeOptions,
    ...engineOptions,
  },
  rules: [
    { options: ['format'], needs: ['out'], because: 'that is the file or folder to write' },
    { options: ['ground-truth'], needs: ['format=coco'], because: 'no other format has ids' },
    { options: ['force'], needs: ['out', 'draw'], because: 'nothing else is written' },
  ],
  examples: [
    ['detect runs/cells photo.jpg', 'what is in a picture'],
    ['detect runs/cells photos/ --draw drawn', 'the boxes drawn into every picture of a folder'],
    ['detect refinedet_coco2017 photo.jpg', 'with published weights, which are pulled first'],
    ['detect model.pth photo.jpg --classes coco', "weights of another project, such as mmdetection's"],
    ["detect cells.onnx 'photos/*.png' --json", 'for programs'],
  ],
  async run({ 'min-score': score, 'ground-truth': groundTruth, ...args }, context) {
    if (args.format === 'coco' && !groundTruth)
      throw new UsageError('--format coco needs the ids: give --ground-truth.');
    const minScore = score === 'suggested' ? score : Number(score || Number.NaN);
    if (minScore !== 'suggested' && !(minScore >= 0 && minScore <= 1))
      throw new UsageError(`--min-score is ${score}; give a number from 0 to 1, or suggested.`);
    const testTime = await testTimeOf(args);
    const { detectPictures } = await import('../detect-pictures.js');
    const classes = await classList(args.classes);
    return detectPictures({ ...args, classes, minScore, groundTruth, testTime }, context);
  },
});
