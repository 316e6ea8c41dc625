import { readdirSync, readFileSync } from 'node:fs';
import { type CocoGroundTruth, type CocoResults, cocoPictures } from '../../src/evaluate/coco/coco-json.js';
import { CocoEvaluator, type EvaluatedPicture, type EvaluationData } from '../../src/evaluate/index.js';
import { shared } from '../shared.js';

const folder = shared('golden/metrics');

/** A recorded COCO problem: its classes by rising category id, its pictures in the order of the file, what to expect. */
export interface Problem<Expected> {
  readonly name: string;
  readonly categoryIds: readonly number[];
  /** Category ids in the order of the file. */
  readonly fileOrder: readonly number[];
  readonly classes: readonly string[];
  readonly pictures: readonly EvaluatedPicture[];
  readonly expected: Expected;
}

/** Names of the problems of ../shared/golden/metrics, and the real one of ../shared/data/coco-eval if both are there. */
export function problemNames(): string[] {
  if (!folder) return [];
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.gt.json'))
    .map((name) => name.slice(0, -'.gt.json'.length));
  const real = shared('data/coco-eval') && shared('golden/metrics/coco-eval.expected.json');
  return real ? [...names, 'coco-eval'] : names;
}

export function readProblem<Expected>(name: string): Problem<Expected> {
  const real = name === 'coco-eval';
  const truth = read<CocoGroundTruth>(
    real ? shared('data/coco-eval/instances_val2014_100.json')! : `${folder}/${name}.gt.json`,
  );
  const results = read<CocoResults>(
    real ? shared('data/coco-eval/instances_val2014_fakebbox100_results.json')! : `${folder}/${name}.dt.json`,
  );
  const fileOrder = truth.categories.map(({ id }) => id);
  return {
    name,
    categoryIds: fileOrder.toSorted((a, b) => a - b),
    fileOrder,
    ...cocoPictures(truth, results),
    expected: read<Expected>(`${folder}/${name}.expected.json`),
  };
}

/** Pictures with boxes as COCO's files have them, as columns. */
export function columnsOf({ classes, pictures }: Pick<Problem<unknown>, 'classes' | 'pictures'>): EvaluationData {
  const evaluator = new CocoEvaluator({ classes, boxFormat: 'xywh' });
  for (const picture of pictures) evaluator.addPicture(picture);
  return evaluator.data();
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
