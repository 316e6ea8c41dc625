// Trains on your own pictures from weights that know something already, then says how good it became and exports it.
// What `boxwright train`, `eval` and `export` do, as a program that decides on the way.
//
//   node examples/fine-tune.mjs cells/ resnet18.safetensors refinedet-resnet18-320 runs/cells
import { join } from 'node:path';
import { exportOnnx } from 'boxwright';
import { train } from 'boxwright/train';

const [data, weights, model = 'refinedet-resnet18-320', out = 'runs/fine-tuned', epochs] = process.argv.slice(2);
if (!weights) throw new Error('usage: fine-tune.mjs <data> <weights> [model] [run folder] [epochs]');

const stop = new AbortController();
process.once('SIGINT', () => stop.abort()); // the run is saved; `--resume` goes on

/** Evaluations without a better AP after which it is enough. */
const patience = 4;
let worse = 0;
const options = { model, data, weights, out, epochs: epochs && Number(epochs), signal: stop.signal };
for await (const event of train(options)) {
  if (event.kind === 'warning') console.error(event.message);
  if (event.kind === 'evaluation') {
    const { AP, AP50 } = event.metrics;
    console.log(`epoch ${event.epoch}: AP ${(100 * AP).toFixed(1)}, AP50 ${(100 * AP50).toFixed(1)}`);
    worse = event.best ? 0 : worse + 1;
    if (worse === patience) stop.abort();
  }
  if (event.kind === 'end' && event.best) {
    await exportOnnx(join(out, 'best.safetensors'), join(out, 'model.onnx'));
    console.log(`${join(out, 'model.onnx')}: AP50 ${(100 * event.best.AP50).toFixed(1)} after ${event.step} steps`);
  }
}
