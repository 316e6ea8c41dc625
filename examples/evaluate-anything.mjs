// COCO's figures for the detections of any program, given as the JSON lines that `boxwright detect --json` prints.
//
//   node examples/evaluate-anything.mjs cells/ found.jsonl test
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { openDataset } from 'boxwright/data';
import { CocoEvaluator, truthOf } from 'boxwright/evaluate';

const [data, file, part] = process.argv.slice(2);
if (!file) throw new Error('usage: evaluate-anything.mjs <data> <found.jsonl> [part]');
const dataset = await openDataset(data, { part });
const lines = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const found = new Map(lines.map(({ source, detections }) => [basename(source), detections]));

const evaluator = new CocoEvaluator({ classes: dataset.classes });
for (const image of dataset.images) {
  const detections = found.get(basename(image.name)) ?? [];
  evaluator.addPicture({
    id: image.id,
    truth: truthOf(image),
    detections: {
      boxes: detections.flatMap(({ box }) => box),
      labels: detections.map(({ label }) => dataset.classes.indexOf(label)),
      scores: detections.map(({ score }) => score),
    },
  });
}
console.log(JSON.stringify(evaluator.result(), null, 2));
