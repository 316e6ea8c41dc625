// A detection head of your own: one without anchors, as FCOS has it (Tian et al., 2019). Every cell of a map says whether it
// lies in an object and how far it is from there to the object's four sides. It learns to find discs in noise; suppression
// and the way back to boxes are part of the ONNX file that it writes.
//
//   node examples/new-head.mjs discs.onnx
import { writeFileSync } from 'node:fs';
import { Engine, writeLowered } from 'boxwright/engine';
import * as g from 'boxwright/graph';
import * as nn from 'boxwright/nn';

const [side, stride] = [48, 4];
const cells = side / stride;
/** Pixels from the left (and top) to each cell's centre, row by row. */
const centresX = Float32Array.from({ length: cells ** 2 }, (_, i) => stride * ((i % cells) + 0.5));
const centresY = Float32Array.from({ length: cells ** 2 }, (_, i) => stride * (Math.floor(i / cells) + 0.5));

/** Logits [batch, cells²] and distances [batch, cells², 4] in pixels to left, top, right and bottom. */
function network(p, x) {
  const unit = (name, value, layer) =>
    g.relu(
      nn.batchNorm(p, `${name}.bn`, nn.conv(p, name, value, { kernel: 3, padding: 1, bias: false, ...layer }), {
        epsilon: 1e-5,
        momentum: 0.1,
      }),
    );
  const map = unit('c', unit('b', unit('a', x, { out: 8, stride: 2 }), { out: 16, stride: 2 }), { out: 16 });
  const head = (name, out) => {
    const y = nn.conv(p, `head.${name}`, map, { out, kernel: 3, padding: 1, initial: nn.gaussian(0.01) });
    return g.reshape(g.transpose(y, [0, 2, 3, 1]), [-1, cells ** 2, out]);
  };
  // exp keeps distances positive; 8 pixels to begin with.
  return { logits: g.squeeze(head('object', 1), 2), distances: g.mul(g.exp(head('sides', 4)), 8) };
}

/** Focal loss over all cells, −ln IoU over those in an object, both divided by the number of these. */
function losses({ logits, distances }, batch) {
  const inside = g.input('wanted_inside', 'float32', [batch, cells ** 2], '1 in an object');
  const wanted = g.input('wanted_sides', 'float32', [batch, cells ** 2, 4], 'distances; 1 elsewhere');
  const span = (sides, a, b) => g.add(column(sides, a), column(sides, b));
  const area = (sides) => g.mul(span(sides, 0, 2), span(sides, 1, 3));
  const shared = area(g.minimum(distances, wanted));
  const iou = g.div(shared, g.sub(g.add(area(distances), area(wanted)), shared));
  const count = g.maximum(nn.sumAll(inside), 1);
  const parts = {
    object: g.div(nn.sumAll(nn.sigmoidFocal(logits, inside, { alpha: 0.25, gamma: 2 })), count),
    sides: g.div(nn.sumAll(g.mul(inside, g.neg(g.log(iou)))), count),
  };
  return { total: g.add(parts.object, parts.sides), parts };
}

const column = (value, i) => g.squeeze(g.slice(value, [i], [i + 1], [2]), 2);

/** Boxes [found, 4] in pixels, scores [found] and the picture [found] that each is in. */
function detections({ logits, distances }) {
  const at = (centres) => g.constant('float32', [1, cells ** 2], centres);
  const edge = (centres, i, operator) => g.unsqueeze(operator(at(centres), column(distances, i)), 2);
  const boxes = g.concat(
    [edge(centresX, 0, g.sub), edge(centresY, 1, g.sub), edge(centresX, 2, g.add), edge(centresY, 3, g.add)],
    2,
  );
  const scores = g.unsqueeze(g.sigmoid(logits), 1);
  const kept = g.nonMaxSuppression(boxes, scores, { iouThreshold: 0.5, scoreThreshold: 0.4, maxPerClass: 10 });
  const [picture, , cell] = [0, 1, 2].map((i) => g.slice(kept, [i], [i + 1], [1]));
  return {
    boxes: g.gatherNd(boxes, g.concat([picture, cell], 1)),
    scores: g.gatherNd(scores, kept),
    pictures: g.squeeze(picture, 1),
  };
}

/** Grey pictures of noise with one to three discs each, their boxes, and what each cell should say. */
function pictures(count) {
  const x = Float32Array.from({ length: count * side ** 2 }, () => 0.6 * Math.random());
  const inside = new Float32Array(count * cells ** 2);
  const sides = new Float32Array(count * cells ** 2 * 4).fill(1);
  const truth = Array.from({ length: count }, (_, picture) => {
    const boxes = [];
    for (let i = 0; i < 1 + Math.floor(3 * Math.random()); i++) {
      const r = 4 + 6 * Math.random();
      const [cx, cy] = [r + (side - 2 * r) * Math.random(), r + (side - 2 * r) * Math.random()];
      const box = [cx - r, cy - r, cx + r, cy + r];
      if (boxes.some((other) => overlap(box, other) > 0)) continue;
      boxes.push(box);
      for (let at = 0; at < side ** 2; at++)
        if (Math.hypot((at % side) + 0.5 - cx, Math.floor(at / side) + 0.5 - cy) < r)
          x[picture * side ** 2 + at] += 0.5;
      centresX.forEach((left, cell) => {
        const top = centresY[cell];
        if (Math.hypot(left - cx, top - cy) > Math.max(r / 2, stride)) return;
        const own = picture * cells ** 2 + cell;
        inside[own] = 1;
        sides.set(
          [left - box[0], top - box[1], box[2] - left, box[3] - top].map((d) => Math.max(d, 0.1)),
          4 * own,
        );
      });
    }
    return boxes;
  });
  const feeds = {
    x: { dtype: 'float32', shape: [count, 1, side, side], data: x },
    wanted_inside: { dtype: 'float32', shape: [count, cells ** 2], data: inside },
    wanted_sides: { dtype: 'float32', shape: [count, cells ** 2, 4], data: sides },
  };
  return { feeds, truth };
}

function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
}

const [batch, steps] = [16, 150];
const p = new nn.Parameters({ training: true });
const outputs = network(p, g.input('x', 'float32', [batch, 1, side, side]));
const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const step = nn.trainingStep(p, losses(outputs, batch), { optimizer });

const engine = await Engine.start({ threads: 1 });
try {
  const weights = nn.initialValues(p.specs.values(), 1);
  const state = await engine.createState({
    ...Object.fromEntries(weights),
    ...nn.initialOptimizerState(step, weights),
  });
  const lowered = writeLowered({ name: 'step', outputs: step.batch.outputs }, { provider: 'cpu', form: 'fast' });
  const training = await engine.load(lowered.bytes);
  const rate = { dtype: 'float32', shape: [], data: Float32Array.of(0.005) };
  for (let i = 1; i <= steps; i++) {
    const { feeds } = pictures(batch);
    const { loss } = await training.run({ ...feeds, [nn.rateInput]: rate }, { state, updates: step.batch.updates });
    if (i % 50 === 0) console.log(`step ${i}: loss ${loss.data[0].toFixed(3)}`);
  }

  // The same network with its running statistics, then suppression: pictures in, boxes out.
  const x = g.input('x', 'float32', ['batch', 1, side, side], 'grey pictures');
  const found = detections(network(new nn.Parameters({ training: false }), x));
  const initializers = new Map(Object.entries(await state.read([...weights.keys()])));
  const file = writeLowered({ name: 'discs', outputs: found, initializers }, { provider: 'cpu', form: 'reference' });
  const unseen = pictures(200);
  const { boxes, pictures: of } = await (await engine.load(file.bytes)).run({ x: unseen.feeds.x });
  const own = unseen.truth.map(() => []);
  of.data.forEach((picture, i) => {
    own[Number(picture)].push([...boxes.data.slice(4 * i, 4 * i + 4)]);
  });
  const objects = unseen.truth.flat().length;
  const hit = unseen.truth.flatMap((all, i) => all.filter((box) => own[i].some((b) => overlap(b, box) > 0.5))).length;
  console.log(`found ${hit} of ${objects} discs at an IoU above 0.5, with ${of.data.length} boxes`);
  const [path] = process.argv.slice(2);
  if (path) writeFileSync(path, file.bytes);
} finally {
  await engine.dispose();
}
