// A convolutional network from nothing but graphs: loss, gradients and the update are operators that `boxwright/graph`
// writes as ONNX. It learns to read a pocket calculator's digits, 28×28 pixels, moved about and drowned in noise.
//
//   node examples/plain-training-loop.mjs
import { Engine, writeLowered } from 'boxwright/engine';
import * as g from 'boxwright/graph';

// The seven bars as x1, y1, x2, y2: top, upper left and right, middle, lower left and right, bottom; and who has them.
const bars = ['0081', '0018', '8098', '0889', '081g', '889g', '0g9h'].map((bar) =>
  [...bar].map((c) => parseInt(c, 18)),
);
const digits = '1110111 0010010 1011101 1011011 0111010 1101011 1101111 1010010 1111111 1111011'.split(' ');

function pictures(count) {
  const data = Float32Array.from({ length: count * 784 }, () => Math.random() - 0.5);
  const labels = BigInt64Array.from({ length: count }, () => BigInt(Math.floor(10 * Math.random())));
  labels.forEach((digit, i) => {
    const corner = 784 * i + 28 * Math.floor(10 * Math.random()) + Math.floor(18 * Math.random());
    for (const [x1, y1, x2, y2] of bars.filter((_, bar) => digits[Number(digit)][bar] === '1'))
      for (let y = y1; y <= y2; y++) for (let x = x1; x <= x2; x++) data[corner + 28 * y + x] = 0.5 + Math.random() / 2;
  });
  return { x: tensor([count, 1, 28, 28], data), labels: { dtype: 'int64', shape: [count], data: labels } };
}
const tensor = (shape, data) => ({ dtype: 'float32', shape, data });

const shapes = { conv1: [16, 1, 3, 3], conv2: [32, 16, 3, 3], dense: [32 * 49, 10] };
const names = Object.keys(shapes);
const [conv1, conv2, dense] = names.map((name) => g.input(name, 'float32', shapes[name]));
function network(x) {
  const block = (map, w) => g.maxPool2d(g.relu(g.conv2d(map, w, { padding: 1 })), { kernel: 2 });
  return g.matMul(g.reshape(block(block(x, conv1), conv2), [-1, 32 * 49]), dense);
}

const [batch, steps] = [64, 400];
const labels = g.input('labels', 'int64', [batch]);
const logits = network(g.input('x', 'float32', [batch, 1, 28, 28]));
const loss = g.neg(g.reduceMean(g.gatherElements(g.logSoftmax(logits), g.unsqueeze(labels, 1), 1)));
const weights = [conv1, conv2, dense];
const gradients = g.gradient(loss, weights);
const moved = names.map((name, i) => [`next_${name}`, g.sub(weights[i], g.mul(gradients[i], 0.1))]);

/** Uniform numbers of a spread that keeps activations at their size (He et al., 2015). */
function first([out, ...rest]) {
  const inputs = rest.length > 1 ? g.elementCount(rest) : out;
  const length = g.elementCount([out, ...rest]);
  return Float32Array.from({ length }, () => (2 * Math.random() - 1) * Math.sqrt(6 / inputs));
}

const engine = await Engine.start({ threads: 1 });
const load = (outputs) =>
  engine.load(writeLowered({ name: 'digits', outputs }, { provider: 'cpu', form: 'fast' }).bytes);
const state = await engine.createState(
  Object.fromEntries(names.map((name) => [name, tensor(shapes[name], first(shapes[name]))])),
);
const updates = Object.fromEntries(names.map((name) => [`next_${name}`, name]));
const training = await load({ loss, ...Object.fromEntries(moved) });
for (let step = 1; step <= steps; step++) {
  const result = await training.run(pictures(batch), { state, updates });
  if (step % 50 === 0) console.log(`step ${step}: loss ${result.loss.data[0].toFixed(3)}`);
}

const unseen = pictures(500);
const reading = await load({ digit: g.argMax(network(g.input('x', 'float32', [500, 1, 28, 28])), 1) });
const { digit } = await reading.run({ x: unseen.x }, { state });
console.log(`right: ${unseen.labels.data.filter((own, i) => own === BigInt(digit.data[i])).length} of 500`);
await engine.dispose();
