// Draws the pictures of docs/how-it-works.md: graphs that boxwright/graph builds, node by node, and the way of a detector.
//   node scripts/ready.mjs && node scripts/graph-pictures.mjs [--check]
// --check only compares with what is in docs/pictures, and fails where it differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { conv2d, gradient, input, matMul, mul, reduceMean, relu, sub, topological } from '../build/src/graph/index.js';
import { lowerFor } from '../build/src/lowering/index.js';
import { drawGraph } from './graph-drawing.mjs';

const folder = new URL('../docs/pictures/', import.meta.url);

/** Nodes and edges of what `outputs` reach; what constants alone decide is one node, and constant settings are none. */
function graphOf(outputs, kindOf, names = new Map()) {
  const order = topological(Object.values(outputs));
  const fixed = new Set();
  for (const node of order) {
    const inputs = node.inputs.filter(Boolean);
    if (node.operator.type !== 'Input' && inputs.every((value) => fixed.has(value.node))) fixed.add(node);
  }
  const isSetting = (value) => fixed.has(value.node) && value.dtype === 'int64';
  const named = new Map(Object.entries(outputs).map(([name, value]) => [value.node, name]));
  const shown = order.filter((node) => !fixed.has(node));
  const edges = shown.flatMap((node) =>
    node.inputs.filter((value) => value && !isSetting(value)).map((value) => [value.node.id, node.id]),
  );
  const asked = new Set(edges.map(([from]) => from));
  const nodes = [...shown, ...order.filter((node) => fixed.has(node) && asked.has(node.id))].map((node) => {
    const { dtype, shape } = node.outputs[0];
    const own = node.operator.type === 'Input' ? names.get(node) : node.operator.type;
    const label = fixed.has(node) ? 'constant' : own;
    const under = `${named.has(node) ? `${named.get(node)} ` : ''}${dtype === 'float32' ? '' : dtype}[${shape.join(', ')}]`;
    const kind = fixed.has(node) ? 'constant' : node.operator.type === 'Input' ? 'input' : kindOf(node);
    return { id: node.id, label, under, kind };
  });
  return { nodes, edges };
}

/** A network of two layers, its loss, the gradients by both weights, and the update. */
function trainingStep() {
  const x = input('x', 'float32', [16, 2]);
  const target = input('target', 'float32', [16, 1]);
  const first = input('w1', 'float32', [2, 8]);
  const second = input('w2', 'float32', [8, 1]);
  const rate = input('rate', 'float32', []);
  const error = sub(matMul(relu(matMul(x, first)), second), target);
  const loss = reduceMean(mul(error, error));
  const gradients = gradient(loss, [first, second]);
  const [next1, next2] = [first, second].map((weight, i) => sub(weight, mul(rate, gradients[i])));
  const forward = new Set(topological([loss]));
  const back = new Set(topological(gradients));
  const kindOf = (node) => (forward.has(node) ? 'forward' : back.has(node) ? 'gradient' : 'update');
  const names = new Map(
    Object.entries({ x, target, w1: first, w2: second, rate }).map(([name, { node }]) => [node, name]),
  );
  return drawGraph({
    about: 'A training step as one graph: a network of two layers, its loss, the gradients and the update',
    ...graphOf({ loss, 'new w1': next1, 'new w2': next2 }, kindOf, names),
    legend: { input: 'fed or kept', forward: 'network and loss', gradient: 'written by gradient()', update: 'update' },
  });
}

/** A convolution's two gradients, as boxwright has them or in the reference form of ONNX operators. */
function convolutionGradients(form) {
  const x = input('x', 'float32', [4, 8, 16, 16]);
  const weight = input('weight', 'float32', [32, 8, 3, 3]);
  const dy = input('dY', 'float32', [4, 32, 16, 16]);
  const y = conv2d(x, weight, { padding: 1 });
  const { operator, inputs, outputs, attributes } = y.node;
  const [dx, dw] = operator.vjp({ inputs, outputs, attributes, gradients: [dy], wants: [true, true, false] });
  const lowered = form ? lowerFor([dx, dw], { provider: 'cpu', form }) : [dx, dw];
  const own = (node) => (node.operator.domain === 'boxwright' ? 'gradient' : 'forward');
  const names = new Map(Object.entries({ x, weight, dY: dy }).map(([name, { node }]) => [node, name]));
  return drawGraph({
    about: form
      ? "A convolution's two gradients in operators that ONNX has"
      : "A convolution's two gradients as operators of boxwright's own",
    ...graphOf({ dX: lowered[0], dW: lowered[1] }, own, names),
    legend: form ? { forward: 'ONNX has it' } : { gradient: "boxwright's own" },
  });
}

/** What leads from a recipe to a trained detector and a file. */
function overview() {
  const names = {
    recipe: ['recipe', 'plain data', 'input'],
    pictures: ['pictures, boxes', 'worker threads', 'input'],
    network: ['network', 'Values in, Values out', 'forward'],
    inference: ['inference graph', 'with suppression', 'forward'],
    losses: ['losses', '', 'forward'],
    gradient: ['gradient()', 'more of the same operators', 'gradient'],
    step: ['training step', 'one graph', 'update'],
    file: ['model.onnx', 'runs anywhere', 'forward'],
    lowering: ['lowering', 'what this machine is fast at', 'constant'],
    engine: ['engine', 'ONNX Runtime in a thread', 'constant'],
  };
  const ids = Object.keys(names);
  const edges =
    'recipe network, network inference, network losses, losses gradient, gradient step, step lowering, inference lowering, inference file, lowering engine, pictures engine'
      .split(', ')
      .map((pair) => pair.split(' ').map((name) => ids.indexOf(name)));
  return drawGraph({
    about: 'From a recipe over network, losses and gradient to the training step; from the network to the file',
    nodes: ids.map((id, i) => ({ id: i, label: names[id][0], under: names[id][1], kind: names[id][2] })),
    edges,
  });
}

const pictures = {
  'overview.svg': overview(),
  'training-step.svg': trainingStep(),
  'conv-gradients.svg': convolutionGradients(),
  'conv-gradients-onnx.svg': convolutionGradients('reference'),
};

for (const [name, content] of Object.entries(pictures)) {
  const file = new URL(name, folder);
  if (!process.argv.includes('--check')) writeFileSync(file, content);
  else if (readFileSync(file, 'utf8') !== content) {
    console.error(`docs/pictures/${name} is not what scripts/graph-pictures.mjs draws: run it.`);
    process.exitCode = 1;
  }
}
