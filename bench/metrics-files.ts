import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { EvaluationData } from '../src/evaluate/evaluation-data.js';
import { generatedProblem } from '../test/evaluate/generated-problem.js';

export interface ProblemFiles {
  readonly truth: string;
  readonly results: string;
  readonly pictures: number;
  readonly objects: number;
  readonly detections: number;
}

/** As many pictures, classes, objects and detections as COCO's validation set has. */
const cocoSize = { images: 5000, categories: 80, dets: 100, empty: 0.02, crowd: 0.02 };
/** Above every id of one problem. */
const idStep = 20_000;
const annotationStep = 100_000;

/** Writes so many problems of COCO's size, one behind the other in the same files. */
export async function writeProblems(folder: string, count: number): Promise<ProblemFiles> {
  const files = { truth: join(folder, `truth${count}.json`), results: join(folder, `results${count}.json`) };
  const total = { pictures: 0, objects: 0, detections: 0 };
  const [truth, results] = [createWriteStream(files.truth), createWriteStream(files.results)];
  const images: object[] = [];
  // Ids by label: those of the generator differ from problem to problem.
  const categories = Array.from({ length: cocoSize.categories }, (_, label) => ({
    id: label + 1,
    name: `c${label + 1}`,
  }));
  truth.write('{"annotations":[');
  results.write('[');
  for (let n = 0; n < count; n++) {
    const { data } = generatedProblem(`coco-size-${n}`, cocoSize);
    for (const id of data.pictures) images.push({ id: (id as number) + n * idStep, width: 640, height: 640 });
    await write(truth, annotationsOf(data, n), n === 0);
    await write(results, detectionsOf(data, n), n === 0);
    total.pictures += data.pictures.length;
    total.objects += data.truths.labels.length;
    total.detections += data.detections.labels.length;
  }
  results.end(']');
  truth.end(`],"images":${JSON.stringify(images)},"categories":${JSON.stringify(categories)}}`);
  await Promise.all([once(truth, 'finish'), once(results, 'finish')]);
  return { ...files, ...total };
}

async function write(file: WriteStream, pictures: Iterable<object[]>, first: boolean): Promise<void> {
  let before = first ? '' : ',\n';
  for (const entries of pictures) {
    if (entries.length === 0) continue;
    const text = before + entries.map((entry) => JSON.stringify(entry)).join(',\n');
    before = ',\n';
    if (!file.write(text)) await once(file, 'drain');
  }
}

function* annotationsOf({ pictures, truths }: EvaluationData, n: number) {
  for (let p = 0; p < pictures.length; p++) {
    const own = [];
    for (let i = truths.starts[p]; i < truths.starts[p + 1]; i++) {
      own.push({
        id: truths.ids[i] + n * annotationStep,
        image_id: (pictures[p] as number) + n * idStep,
        category_id: truths.labels[i] + 1,
        bbox: Array.from(truths.boxes.subarray(4 * i, 4 * i + 4)),
        area: truths.areas[i],
        iscrowd: truths.crowd[i],
      });
    }
    yield own;
  }
}

function* detectionsOf({ pictures, detections }: EvaluationData, n: number) {
  for (let p = 0; p < pictures.length; p++) {
    const own = [];
    for (let i = detections.starts[p]; i < detections.starts[p + 1]; i++) {
      own.push({
        image_id: (pictures[p] as number) + n * idStep,
        category_id: detections.labels[i] + 1,
        bbox: Array.from(detections.boxes.subarray(4 * i, 4 * i + 4)),
        score: detections.scores[i],
      });
    }
    yield own;
  }
}
