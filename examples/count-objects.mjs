// How many of each class are in a folder of pictures? Shows streaming, broken pictures and Ctrl-C.
//
//   node examples/count-objects.mjs runs/cells photos/
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Detector } from 'boxwright';

const [model, folder] = process.argv.slice(2);
if (!folder) throw new Error('usage: count-objects.mjs <model> <folder>');
const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort();

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const detector = await Detector.load(model, { minScore: 0.5 });
try {
  const counts = new Map(detector.classes.map((name) => [name, 0]));
  const paths = names.map((name) => join(folder, name));
  for await (const picture of detector.stream(paths, { broken: 'report', signal: stop.signal })) {
    if ('error' in picture) console.error(picture.error.message);
    else for (const { label } of picture.detections) counts.set(label, counts.get(label) + 1);
  }
  console.log(Object.fromEntries(counts));
} finally {
  await detector.dispose();
}
