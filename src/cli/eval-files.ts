// What `boxwright eval --detections` does: it judges anyone's results, without a model.
import type { Context } from './command.js';
import { printFigures } from './figures.js';
import type { Measures } from './metrics-options.js';
import { megabytes } from './sizes.js';

export async function evalFiles(
  truthFile: string,
  resultsFile: string,
  against: string | undefined,
  measures: Measures,
  { terminal, signal }: Context,
): Promise<void> {
  const { cocoData, readCocoResults } = await import('../evaluate/coco/coco-results-file.js');
  const { readCocoTruth } = await import('../evaluate/coco/coco-truth-file.js');
  const reading = (file: string) => (bytes: number) => terminal.progress(`${file}: ${megabytes(bytes)}`);
  const truth = await readCocoTruth(truthFile, { signal, onProgress: reading(truthFile) });
  const found = await readCocoResults(resultsFile, truth, { signal, onProgress: reading(resultsFile) });
  for (const warning of found.warnings) terminal.warn(warning);
  const data = cocoData(truth, found);
  if (data.detections.labels.length === 0) terminal.warn(`${resultsFile}: the list is empty: nothing was found.`);
  const { pictures, categories } = truth;
  const blocks = [...measures.blocks];
  if (against !== undefined) {
    const other = await readCocoResults(against, truth, { signal, onProgress: reading(against) });
    for (const warning of other.warnings) terminal.warn(warning);
    const { comparisonBlock } = await import('./metric-blocks.js');
    const { zooSubset } = await import('../evaluate/coco/zoo-subset.js');
    const data = cocoData(truth, other);
    blocks.push(comparisonBlock(measures.zooSubset ? zooSubset(data) : data));
  }
  const counts = `${pictures.length} pictures, ${data.truths.labels.length} objects, ${data.detections.labels.length} detections`;
  await printFigures(
    { data, pictures, categories, options: measures.options, signal },
    { ...measures, blocks },
    `${resultsFile}: ${counts}`,
    terminal,
  );
}
