// Which pictures to label next? Those of which the model is least sure. A detection at a score of 0.5 could be either,
// one near 0 or 1 is decided; a picture counts as much as its undecided detections together.
//
//   node examples/active-learning.mjs runs/cells unlabelled/ 20
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Detector } from 'boxwright';

const [model, folder, count = '20'] = process.argv.slice(2);
if (!folder) throw new Error('usage: active-learning.mjs <model> <folder> [how many]');
const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort();

/** Entropy of a coin that falls on one side with this probability, in bits. */
function doubt(score) {
  const part = (p) => (p > 0 ? -p * Math.log2(p) : 0);
  return part(score) + part(1 - score);
}

const detector = await Detector.load(model, { minScore: 0.1 });
try {
  const asked = [];
  const paths = names.map((name) => join(folder, name));
  for await (const picture of detector.stream(paths, { broken: 'report' })) {
    if ('error' in picture) console.error(picture.error.message);
    else asked.push([picture.detections.reduce((sum, { score }) => sum + doubt(score), 0), picture.source]);
  }
  asked.sort(([a], [b]) => b - a);
  for (const [sum, source] of asked.slice(0, Number(count))) console.log(`${sum.toFixed(2).padStart(7)}  ${source}`);
} finally {
  await detector.dispose();
}
