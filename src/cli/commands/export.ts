import { classList, modelOptions } from '../class-list.js';
import { command } from '../command.js';
import { outlines } from '../outlines.js';
import { pullProgress } from '../pull-progress.js';
import { megabytes } from '../sizes.js';

export const exportCommand = command({
  ...outlines.export,
  positionals: {
    source: {
      type: 'string',
      demandOption: true,
      describe: 'Run folder, checkpoint, card, or weights of another project',
    },
    out: { type: 'string', demandOption: true, describe: 'The .onnx file to write' },
  },
  options: {
    ...modelOptions,
    force: { type: 'boolean', default: false, describe: 'Replace the file if it exists' },
    fold: {
      type: 'boolean',
      default: true,
      describe: 'Fold batch norm into the convolutions (--no-fold keeps it apart)',
    },
    'min-score': { type: 'number', describe: "Scores must exceed this; the model's own threshold by default" },
    'external-data': { type: 'boolean', default: false, describe: 'Weights in a file of their own, as above 2 GB' },
    json: { type: 'boolean', default: false, describe: 'Print what was written as JSON, and nothing else' },
  },
  examples: [['export runs/cells cells.onnx', 'pixels of any size in, boxes out, for Python, C++, the browser …']],
  async run(
    { source, model, out, force, fold, 'min-score': scoreThreshold, 'external-data': externalData, json, ...args },
    { terminal, signal },
  ) {
    const { exportOnnx } = await import('../../export/export-onnx.js');
    const report = await exportOnnx(source, out, {
      ...{ force, fold, scoreThreshold, externalData, signal, model, classes: await classList(args.classes) },
      onProgress: pullProgress(terminal),
    });
    if (report.note !== undefined) terminal.note(report.note);
    if (json) {
      await terminal.printJson(report);
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
