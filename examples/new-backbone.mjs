// A backbone of your own from boxwright's layers: inverted residuals with depthwise convolutions, as MobileNetV2 has them
// (Sandler et al., 2018). It learns to tell squares, discs and crosses apart, and is then written as an ONNX file.
//
//   node examples/new-backbone.mjs shapes.onnx
import { writeFileSync } from 'node:fs';
import { Engine, writeLowered } from 'boxwright/engine';
import { add, input, matMul, reduceMean, relu6, softmax } from 'boxwright/graph';
import * as nn from 'boxwright/nn';

/** Convolution, batch norm, ReLU6 or nothing. */
function unit(p, name, x, { act = true, ...layer }) {
  const y = nn.batchNorm(p, `${name}.bn`, nn.conv(p, `${name}.conv`, x, { bias: false, ...layer }), {
    epsilon: 1e-5,
    momentum: 0.1,
  });
  return act ? relu6(y) : y;
}

/** Widen, look around a channel at a time, narrow; past it, if the size stays. */
function inverted(p, name, x, out, stride) {
  const into = x.shape[1];
  const wide = unit(p, `${name}.widen`, x, { out: 4 * into, kernel: 1 });
  const around = { out: 4 * into, kernel: 3, padding: 1, stride, groups: 4 * into };
  const y = unit(p, `${name}.narrow`, unit(p, `${name}.around`, wide, around), { out, kernel: 1, act: false });
  return stride === 1 && out === into ? add(x, y) : y;
}

function backbone(p, x) {
  const stem = unit(p, 'stem', x, { out: 8, kernel: 3, padding: 1, stride: 2 });
  return inverted(p, 'c', inverted(p, 'b', inverted(p, 'a', stem, 16, 2), 16, 1), 24, 2);
}

const classes = ['square', 'disc', 'cross'];
const logits = (p, x) =>
  matMul(reduceMean(backbone(p, x), [2, 3]), p.get('head.weight', [24, classes.length], nn.xavierUniform));

/** 32×32 grey pictures of noise with one shape each. */
function pictures(count) {
  const data = Float32Array.from({ length: count * 1024 }, () => Math.random() / 2);
  const labels = Int32Array.from({ length: count }, () => Math.floor(3 * Math.random()));
  const inside = [
    (x, y, r) => Math.max(Math.abs(x), Math.abs(y)) < r,
    (x, y, r) => Math.hypot(x, y) < r,
    (x, y, r) => Math.min(Math.abs(x), Math.abs(y)) < r / 3 && Math.max(Math.abs(x), Math.abs(y)) < r,
  ];
  labels.forEach((label, i) => {
    const [cx, cy, r] = [10 + 12 * Math.random(), 10 + 12 * Math.random(), 5 + 4 * Math.random()];
    for (let at = 0; at < 1024; at++)
      if (inside[label]((at % 32) - cx, Math.floor(at / 32) - cy, r)) data[1024 * i + at] += 0.5;
  });
  const x = { dtype: 'float32', shape: [count, 1, 32, 32], data };
  return { x, labels: { dtype: 'int32', shape: [count], data: labels } };
}

const [batch, steps] = [32, 150];
const p = new nn.Parameters({ training: true });
const found = logits(p, input('x', 'float32', [batch, 1, 32, 32]));
const total = reduceMean(nn.crossEntropy(found, input('labels', 'int32', [batch])));
const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const step = nn.trainingStep(p, { total, parts: {} }, { optimizer });

const engine = await Engine.start({ threads: 1 });
const target = { provider: 'cpu', form: 'fast' };
try {
  const weights = nn.initialValues(p.specs.values(), 1);
  const state = await engine.createState({
    ...Object.fromEntries(weights),
    ...nn.initialOptimizerState(step, weights),
  });
  const training = await engine.load(writeLowered({ name: 'step', outputs: step.batch.outputs }, target).bytes);
  const rate = { dtype: 'float32', shape: [], data: Float32Array.of(0.005) };
  for (let i = 1; i <= steps; i++) {
    const { loss } = await training.run(
      { ...pictures(batch), [nn.rateInput]: rate },
      { state, updates: step.batch.updates },
    );
    if (i % 50 === 0) console.log(`step ${i}: loss ${loss.data[0].toFixed(3)}`);
  }

  // The same function with its running statistics, the weights as constants, and any number of pictures.
  const x = input('x', 'float32', ['batch', 1, 32, 32], 'grey pictures');
  const probabilities = softmax(logits(new nn.Parameters({ training: false }), x), 1);
  const initializers = new Map(Object.entries(await state.read([...weights.keys()])));
  const file = writeLowered(
    { name: 'shapes', outputs: { probabilities }, initializers },
    { provider: 'cpu', form: 'reference' },
  );
  const unseen = pictures(300);
  const { data } = (await (await engine.load(file.bytes)).run({ x: unseen.x })).probabilities;
  const right = unseen.labels.data.filter(
    (label, i) => data[3 * i + label] === Math.max(...data.slice(3 * i, 3 * i + 3)),
  );
  console.log(`right: ${right.length} of 300`);
  const [path] = process.argv.slice(2);
  if (path) writeFileSync(path, file.bytes);
} finally {
  await engine.dispose();
}
