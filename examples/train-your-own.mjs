// A network of your own: its training step, gradients and optimizer included, is one ONNX graph that the engine runs.
// It learns which points of a square lie in a ring.
//
//   node examples/train-your-own.mjs
import { Engine, writeLowered } from 'boxwright/engine';
import { gemm, input, reduceMean, relu } from 'boxwright/graph';
import * as nn from 'boxwright/nn';

/** Two numbers a point in, two logits out. Asked by name, weights are declared the first time. */
function network(p, x) {
  const dense = (name, value, into, out) =>
    gemm(value, p.get(`${name}.weight`, [out, into], nn.heNormal('in')), {
      c: p.get(`${name}.bias`, [out], nn.zeros),
      transB: true,
    });
  return dense('last', relu(dense('second', relu(dense('first', x, 2, 32)), 32, 32)), 32, 2);
}

function points(count) {
  const data = Float32Array.from({ length: 2 * count }, () => 2 * Math.random() - 1);
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const radius = Math.hypot(data[2 * i], data[2 * i + 1]);
    return radius > 0.4 && radius < 0.8 ? 1 : 0;
  });
  return { x: { dtype: 'float32', shape: [count, 2], data }, labels: { dtype: 'int32', shape: [count], data: labels } };
}

const [batch, steps] = [128, 600];
const p = new nn.Parameters({ training: true });
const logits = network(p, input('x', 'float32', [batch, 2]));
const total = reduceMean(nn.crossEntropy(logits, input('labels', 'int32', [batch])));
const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const step = nn.trainingStep(p, { total, parts: {} }, { optimizer });

const engine = await Engine.start({ threads: 1 });
try {
  const target = { provider: engine.provider, form: 'fast' };
  const load = (name, outputs) => engine.load(writeLowered({ name, outputs }, target).bytes);
  const weights = nn.initialValues(p.specs.values(), 1);
  const state = await engine.createState({
    ...Object.fromEntries(weights),
    ...nn.initialOptimizerState(step, weights),
  });
  const training = await load('step', step.batch.outputs);
  for (let i = 1; i <= steps; i++) {
    const rate = { dtype: 'float32', shape: [], data: Float32Array.of(0.01) };
    const feeds = { ...points(batch), [nn.rateInput]: rate };
    const { loss } = await training.run(feeds, { state, updates: step.batch.updates });
    if (i % 100 === 0) console.log(`step ${i}: loss ${loss.data[0].toFixed(3)}`);
  }

  // The same function once more, for any number of points, with the weights as they are now.
  const x = input('x', 'float32', ['batch', 2]);
  const inference = await load('inference', { logits: network(new nn.Parameters({ training: false }), x) });
  const { labels, ...unseen } = points(1000);
  const { data } = (await inference.run(unseen, { state })).logits;
  const right = labels.data.filter((label, i) => label === (data[2 * i + 1] > data[2 * i] ? 1 : 0)).length;
  console.log(`right: ${right} of 1000`);
} finally {
  await engine.dispose();
}
