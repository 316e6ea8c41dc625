// An ONNX operator that boxwright does not have, with its gradient: Mish, x · tanh(softplus(x)) (Misra, 2019), which
// ONNX knows since opset 18. Shape rule and gradient stand side by side; then the gradient is checked by differences.
//
//   node examples/new-operator.mjs
import { Engine, writeLowered } from 'boxwright/engine';
import { add, apply1, gradient, input, mul, reduceSum, sigmoid, softplus, sub, tanh } from 'boxwright/graph';

const Mish = {
  type: 'Mish',
  attributes: {},
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  // d/dx = t + x · σ(x) · (1 − t²), with t = tanh(softplus(x))
  vjp: ({ inputs: [x], gradients: [g] }) => {
    const t = tanh(softplus(x));
    return [mul(g, add(t, mul(mul(x, sigmoid(x)), sub(1, mul(t, t)))))];
  },
};
const mish = (x) => apply1(Mish, [x], {});

const x = input('x', 'float32', [5]);
const loss = reduceSum(mish(x));
const outputs = { y: mish(x), slope: gradient(loss, [x])[0] };

const engine = await Engine.start({ threads: 1 });
try {
  const { bytes } = writeLowered({ name: 'mish', outputs }, { provider: 'cpu', form: 'fast' });
  const session = await engine.load(bytes);
  const run = async (numbers) => session.run({ x: { dtype: 'float32', shape: [5], data: Float32Array.from(numbers) } });
  const points = [-3, -1, 0, 0.5, 2];
  const step = 1e-2;
  const [here, before, after] = [
    await run(points),
    await run(points.map((at) => at - step)),
    await run(points.map((at) => at + step)),
  ];
  points.forEach((at, i) => {
    const difference = (after.y.data[i] - before.y.data[i]) / (2 * step);
    const [y, slope] = [here.y.data[i], here.slope.data[i]];
    console.log(`x ${at}: mish ${y.toFixed(4)}, slope ${slope.toFixed(4)}, by differences ${difference.toFixed(4)}`);
  });
} finally {
  await engine.dispose();
}
