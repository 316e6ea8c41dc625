import type { FileDescription } from '../../weights/describe-file.js';
import { command } from '../command.js';
import { outlines } from '../outlines.js';
import { pullProgress } from '../pull-progress.js';
import { megabytes } from '../sizes.js';
import type { Terminal } from '../terminal.js';

export const infoCommand = command({
  ...outlines.info,
  positionals: {
    file: { type: 'string', demandOption: true, describe: 'Weights of any format that boxwright reads, or a card' },
  },
  options: {
    json: { type: 'boolean', default: false, describe: 'Print it as JSON, and nothing else' },
  },
  examples: [['info model.pth', 'tensors, metadata, and the models that it fits']],
  async run({ file, json }, { terminal, signal }) {
    const { weightsFile } = await import('../../hub/weights-file.js');
    const { path } = await weightsFile(file, { signal, onProgress: pullProgress(terminal) });
    const { describeFile } = await import('../../weights/describe-file.js');
    const description = await describeFile(path);
    if (json) await terminal.printJson(description);
    else for (const line of lines(description, terminal)) await terminal.print(line);
    return 0;
  },
});

/** The tensors first, since there are many, and what they come to at the end. */
function* lines(description: FileDescription, terminal: Terminal): Generator<string> {
  const { path, format, bytes, tensors, elements, types, metadata, fits, starts } = description;
  const widest = tensors.reduce((most, { name }) => Math.max(most, name.length), 0);
  for (const { name, type, shape } of tensors) yield `${name.padEnd(widest)}  ${type}[${shape.join(', ')}]`;
  const kinds = Object.entries(types).map(([type, count]) => `${count} ${type}`);
  yield `${terminal.style('bold', path)}: ${format}, ${megabytes(bytes)}, ${tensors.length} tensors, ${elements} numbers (${kinds.join(', ')})`;
  for (const [key, value] of Object.entries(metadata)) yield `  ${key}: ${shortened(value)}`;
  for (const { models, classCount, namesOf, taken, changes, left, unused } of fits) {
    yield `fits ${terminal.style('bold', models.join(', '))} with ${classCount} classes: ${taken} parameters by the names of ${namesOf}`;
    for (const change of changes) yield `  ${change}`;
    if (unused.length > 0)
      yield `  ${unused.length} tensors are not needed, such as counters of batch norm or optimizer state`;
    if (left.length > 0) yield `  ${left.length} tensors have no place there: ${shortened(left.join(', '))}`;
  }
  if (fits.length === 0)
    yield starts.length > 0 ? 'fits no model as a whole; training can start from it:' : 'fits no model';
  for (const { models, namesOf, taken, of } of starts)
    yield `  ${models.join(', ')}: ${taken} of ${of} parameters by the names of ${namesOf}`;
}

/** Metadata may be long, such as lists of classes. */
function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}
