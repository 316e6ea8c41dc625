import { command } from './command.js';
import { pullProgress } from './pull-progress.js';
import { megabytes } from './sizes.js';

export const exportCommand = command({
  usage: 'export <model> <out>',
  about: 'Write a trained model as an ONNX file that runs anywhere',
  positionals: {
    model: { type: 'string', demandOption: true, describe: 'Run folder, .safetensors checkpoint or card' },
    out: { type: 'string', demandOption: true, describe: 'The .onnx file to write' },
  },
  options: {
    force: { type: 'boolean', default: false, describe: 'Replace the file if it exists' },
    fold: {
      type: 'boolean',
      default: true,
      describe: 'Fold batch norm into the convolutions (--no-fold keeps it apart)',
    },
    'min-score': { type: 'number', describe: "Scores must exceed this; the model's own threshold by default" },
    'external-data': { type: 'boolean', default: false, describe: 'Weights in a file of their own, as above 2 GB' },
    json: { type: 'boolean', default: false, describe: 'Print what was written as JSON' },
  },
  examples: [['export runs/cells cells.onnx', 'pixels of any size in, boxes out, for Python, C++, the browser …']],
  async run(
    { model, out, force, fold, 'min-score': scoreThreshold, 'external-data': externalData, json },
    { terminal, signal },
  ) {
    const { exportOnnx } = await import('../export/export-onnx.js');
    const report = await exportOnnx(model, out, {
      ...{ force, fold, scoreThreshold, externalData, signal },
      onProgress: pullProgress(terminal),
    });
    if (json) {
      await terminal.print(JSON.stringify(report));
      return 0;
    }
    await terminal.print(
      `${report.path}: ${report.model}, ${report.classes.length} classes, ${megabytes(report.bytes)}`,
    );
    if (report.external) await terminal.print(`${report.external}: its weights; keep the two together`);
    await terminal.print('input   images     uint8 [batch, height, width, 3], RGB, any size');
    await terminal.print('outputs boxes, scores, labels, pictures: a row a detection (see the docs in the file)');
    return 0;
  },
});
