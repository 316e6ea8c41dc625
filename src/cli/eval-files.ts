// What `boxwright eval --detections` does: it judges anyone's results, without a model.
import type { Context } from './command.js';
import { printFigures } from './figures.js';
import type { Measures } from './metrics-options.js';
import { megabytes } from './sizes.js';

export async function evalFiles(
  truthFile: string,
  resultsFile: string,
  measures: Measures,
  threads: number | undefined,
  { terminal, signal }: Context,
): Promise<void> {
  const { cocoData, readCocoResults, readCocoTruth } = await import('../evaluate/coco-files.js');
  const reading = (file: string) => (bytes: number) => terminal.progress(`${file}: ${megabytes(bytes)}`);
  const truth = await readCocoTruth(truthFile, { signal, onProgress: reading(truthFile) });
  const found = await readCocoResults(resultsFile, truth, { signal, onProgress: reading(resultsFile) });
  for (const warning of found.warnings) terminal.warn(warning);
  const data = cocoData(truth, found);
  if (data.detections.labels.length === 0) terminal.warn(`${resultsFile}: the list is empty: nothing was found.`);
  const { pictures, categories } = truth;
  const counts = `${pictures.length} pictures, ${data.truths.labels.length} objects, ${data.detections.labels.length} detections`;
  await printFigures(
    { data, pictures, categories, options: measures.options },
    measures,
    `${resultsFile}: ${counts}`,
    terminal,
    threads,
  );
}
