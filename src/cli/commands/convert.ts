import { writtenFormats } from '../../data/writing/written-formats.js';
import { modelOptions } from '../class-list.js';
import { command } from '../command.js';
import { dataOptions, openOptionsOf, requireFolder } from '../data-options.js';
import { outlines } from '../outlines.js';

export const convertCommand = command({
  ...outlines.convert,
  positionals: {
    from: {
      type: 'string',
      demandOption: true,
      describe: 'Run folder, checkpoint, card, or weights of another project; or a data set of any known format',
    },
    out: {
      type: 'string',
      demandOption: true,
      describe: 'File to write: .safetensors, or .ckpt for MindSpore; a new folder for a data set',
    },
  },
  options: {
    to: { choices: writtenFormats, describe: 'Format of a data set to be written' },
    link: { type: 'boolean', default: false, describe: 'Link to the pictures of a data set instead of copying them' },
    ...dataOptions,
    ...modelOptions,
    force: { type: 'boolean', default: false, describe: 'Replace what is already there; never a data set' },
    json: { type: 'boolean', default: false, describe: 'Print what was written as JSON, and nothing else' },
  },
  rules: [
    { options: ['force'], excludes: ['to'], because: 'nothing of a data set is ever replaced' },
    { options: Object.keys(modelOptions), excludes: ['to'], because: 'a data set has no model, and its own classes' },
    {
      options: ['link', ...Object.keys(dataOptions)],
      needs: ['to'],
      because: 'it is for data sets, which are written in the format of that name',
    },
  ],
  examples: [
    ['convert refinedet.ckpt refinedet.safetensors --model refinedet-vgg16-320-zoo --classes coco', 'a checkpoint'],
    ['convert runs/cells cells.ckpt', "a model of MindSpore's zoo, back under the names that it has there"],
    ['convert cells/ cells-yolo --to yolo', 'a data set with its pictures, part by part'],
  ],
  async run({ to, link, ...args }, context) {
    if (to !== undefined) {
      await requireFolder(args.pictures);
      const { convertData } = await import('../convert-data.js');
      return convertData({ ...args, to, link }, openOptionsOf(args), context);
    }
    const { convertWeights } = await import('../convert-weights.js');
    return convertWeights({ ...args, to: args.out }, context);
  },
});
