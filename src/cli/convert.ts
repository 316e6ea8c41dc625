import { modelOptions } from './class-list.js';
import { command } from './command.js';

export const convertCommand = command({
  usage: 'convert <from> <to>',
  about: 'Write weights of any format as a checkpoint, or a checkpoint as a MindSpore file',
  positionals: {
    from: {
      type: 'string',
      demandOption: true,
      describe: 'Run folder, checkpoint, card, or weights of another project',
    },
    to: { type: 'string', demandOption: true, describe: 'File to write: .safetensors, or .ckpt for MindSpore' },
  },
  options: {
    ...modelOptions,
    force: { type: 'boolean', default: false, describe: 'Replace what is already there' },
    json: { type: 'boolean', default: false, describe: 'Print what was written as JSON' },
  },
  examples: [
    ['convert refinedet.ckpt refinedet.safetensors --model refinedet-vgg16-320-zoo --classes coco.txt', 'a checkpoint'],
    ['convert runs/cells cells.ckpt', "a model of MindSpore's zoo, back under the names that it has there"],
  ],
  async run(args, context) {
    const { convertWeights } = await import('./convert-weights.js');
    return convertWeights(args, context);
  },
});
