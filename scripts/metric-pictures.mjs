// Draws the pictures of docs/metrics.md from figures that boxwright/evaluate computes.
//   node scripts/ready.mjs && node scripts/metric-pictures.mjs [--check]
// --check only compares with what is in docs/pictures, and fails where it differs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  bootstrapPrecision,
  CocoEvaluator,
  ConfusionMatrix,
  calibration,
  cocoTables,
  operatingPoint,
  outcomesByClass,
  picturesOf,
  scoreCurve,
} from '../build/src/evaluate/index.js';

const folder = new URL('../docs/pictures/', import.meta.url);
const ink = '#24292f';
const faint = '#d0d7de';
const blue = '#0969da';
const red = '#cf222e';
const green = '#1a7f37';
const grey = '#6e7781';

const fixed = (value) => `${Math.round(100 * value) / 100}`;
const svg = (width, height, about, body) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12"><title>${about}</title><rect width="${width}" height="${height}" fill="#fff"/>${body}</svg>\n`;
const text = (x, y, content, { fill = ink, anchor = 'start', size = 12, weight = 'normal' } = {}) =>
  `<text x="${fixed(x)}" y="${fixed(y)}" fill="${fill}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}">${content}</text>`;
const box = (x, y, width, height, stroke, { fill = 'none', dash = '' } = {}) =>
  `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" fill="${fill}" stroke="${stroke}" stroke-width="2"${dash && ` stroke-dasharray="${dash}"`}/>`;
const line = (points, stroke, { width = 2, dash = '' } = {}) =>
  `<polyline points="${points.map(([x, y]) => `${fixed(x)},${fixed(y)}`).join(' ')}" fill="none" stroke="${stroke}" stroke-width="${width}"${dash && ` stroke-dasharray="${dash}"`}/>`;
const dot = (x, y, fill) => `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="4" fill="${fill}"/>`;

/** Axes from 0 to 1 with names; `at` turns values into places. */
function axes(x, y, width, height, across, up) {
  const at = (u, v) => [x + u * width, y + height - v * height];
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((tick) => {
    const [right, top] = [at(tick, 0), at(0, tick)];
    return [
      line([right, at(tick, 1)], faint, { width: 1 }),
      line([top, at(1, tick)], faint, { width: 1 }),
      text(right[0], y + height + 15, `${tick}`, { anchor: 'middle', fill: grey, size: 10 }),
      text(x - 5, top[1] + 3, `${tick}`, { anchor: 'end', fill: grey, size: 10 }),
    ].join('');
  });
  const names =
    text(x + width / 2, y + height + 31, across, { anchor: 'middle' }) + text(x, y - 8, up, { anchor: 'start' });
  return { at, body: ticks.join('') + names };
}

/** A made-up detector on made-up pictures, the same every time: better the surer it is, and a little too sure. */
function example() {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const evaluator = new CocoEvaluator({ classes: ['cat', 'dog', 'owl'] });
  for (let id = 0; id < 60; id++) {
    const truth = { boxes: [], labels: [] };
    const detections = { boxes: [], labels: [], scores: [] };
    const detect = (label, score, x, y, size) => {
      detections.boxes.push(x, y, x + size, y + size);
      detections.labels.push(label);
      detections.scores.push(score);
    };
    for (let i = 0; i < 3; i++) {
      const [label, x, size] = [Math.floor(3 * next()), 200 * i, 20 + Math.floor(100 * next())];
      truth.boxes.push(x, 0, x + size, size);
      truth.labels.push(label);
      const sure = next();
      if (next() < 0.35 + 0.6 * sure) {
        const taken = next() < 0.2 * (1 - sure) ? (label + 1) % 3 : label;
        detect(taken, 0.05 + 0.94 * sure, x + size * 0.3 * next() * (1 - 0.7 * sure), 0, size);
      }
      for (let n = 0; n < 3; n++) {
        if (next() < 0.7) detect(Math.floor(3 * next()), 0.8 * next() ** 2.5, x, 300 + 60 * n, 50);
      }
    }
    evaluator.addPicture({ id, truth, detections });
  }
  return evaluator.data();
}

function overlap() {
  const [a, b] = [
    [30, 40, 120, 90],
    [70, 65, 120, 90],
  ];
  const shared = 80 * 65;
  const iou = shared / (2 * 120 * 90 - shared);
  return svg(
    470,
    180,
    'Intersection over union of two boxes',
    `<rect x="70" y="65" width="80" height="65" fill="#ddf4ff"/>${box(...a, green)}${box(...b, blue)}` +
      text(30, 32, 'object', { fill: green }) +
      text(190, 170, 'detection', { fill: blue, anchor: 'end' }) +
      text(220, 75, `shared: 80 × 65 = ${shared}`) +
      text(220, 97, `together: 2 · 120 × 90 − ${shared} = ${2 * 120 * 90 - shared}`) +
      text(220, 119, `IoU = ${iou.toFixed(2)}`, { weight: 'bold' }),
  );
}

function averagePrecision(data) {
  const tables = cocoTables(data, { iouThresholds: [0.5], maxDetections: [100], areas: [everything] });
  const [own] = outcomesByClass(data);
  const { at, body } = axes(45, 30, 300, 200, 'recall', 'precision');
  const curve = [];
  let [right, wrong] = [0, 0];
  for (let i = 0; i < own.scores.length; i++) {
    own.matched[i] ? right++ : wrong++;
    curve.push(at(right / own.positives, right / (right + wrong)));
  }
  // [R, K] of one threshold, area and number of detections; the first of three classes.
  const points = Array.from({ length: 101 }, (_, r) => [r / 100, tables.precision[3 * r]]);
  const AP = points.reduce((sum, [, precision]) => sum + precision, 0) / 101;
  return svg(
    520,
    280,
    'Precision over recall, and the 101 points whose mean is AP',
    body +
      line(curve, grey, { width: 1 }) +
      points
        .map(([u, v]) => `<circle cx="${fixed(at(u, v)[0])}" cy="${fixed(at(u, v)[1])}" r="1.6" fill="${blue}"/>`)
        .join('') +
      text(365, 60, 'as detections come', { fill: grey }) +
      text(365, 80, 'the 101 points', { fill: blue }) +
      text(365, 105, `their mean: AP ${AP.toFixed(2)}`, { weight: 'bold' }),
  );
}

function tide() {
  const scenes = [
    ['Cls', 'right place, wrong class', [[25, 20, 60, 50, 'cat', 'dog']]],
    ['Loc', 'right class, badly placed', [[25, 20, 60, 50, 'cat', 'cat', 28, 14]]],
    ['Both', 'wrong class, badly placed', [[25, 20, 60, 50, 'cat', 'dog', 28, 14]]],
    ['Dupe', 'an object found already', [[25, 20, 60, 50, 'cat', 'cat', 3, 3, true]]],
    ['Bkg', 'nothing is there', [[25, 20, 60, 50, '', 'cat']]],
    ['Miss', 'no detection is near', [[25, 20, 60, 50, 'cat', '']]],
  ];
  const body = scenes.map(([name, about, [[x, y, width, height, object, found, dx = 3, dy = 3, twice]]], i) => {
    const [left, top] = [20 + 190 * (i % 3), 15 + 150 * Math.floor(i / 3)];
    const parts = [text(left, top + 112, name, { weight: 'bold' }), text(left + 40, top + 112, about, { size: 10 })];
    if (object)
      parts.push(
        box(left + x, top + y, width, height, green),
        text(left + x, top + y - 5, object, { fill: green, size: 11 }),
      );
    if (twice) parts.push(box(left + x - 3, top + y - 3, width, height, blue));
    if (found)
      parts.push(
        box(left + x + dx, top + y + dy, width, height, red, { dash: '5 3' }),
        text(left + x + dx + width, top + y + dy + height + 13, found, { fill: red, size: 11, anchor: 'end' }),
      );
    return parts.join('');
  });
  return svg(
    590,
    310,
    'The six kinds of error of TIDE',
    body.join('') + text(20, 303, 'green: object; blue: right detection; red: error', { fill: grey, size: 10 }),
  );
}

function lrp(data) {
  const [own] = outcomesByClass(data);
  const { at, body } = axes(45, 30, 300, 200, 'score threshold', 'error');
  const curves = { LRP: [], box: [], false: [], missed: [] };
  let [right, wrong, misplaced] = [0, 0, 0];
  let best = { error: 2 };
  for (let i = 0; i < own.scores.length; i++) {
    if (own.matched[i]) [right, misplaced] = [right + 1, misplaced + 1 - own.overlaps[i]];
    else wrong++;
    if (right === 0) continue;
    const missed = own.positives - right;
    const error = (misplaced / 0.5 + wrong + missed) / (right + wrong + missed);
    const score = own.scores[i];
    curves.LRP.push(at(score, error));
    curves.box.push(at(score, misplaced / right));
    curves.false.push(at(score, wrong / (right + wrong)));
    curves.missed.push(at(score, missed / own.positives));
    if (error < best.error) best = { error, score };
  }
  return svg(
    520,
    280,
    'Localisation-recall-precision error over the score threshold; its least value is the optimal one',
    body +
      line(curves.box, green, { width: 1 }) +
      line(curves.false, red, { width: 1 }) +
      line(curves.missed, grey, { width: 1 }) +
      line(curves.LRP, blue) +
      dot(...at(best.score, best.error), blue) +
      text(365, 60, 'LRP', { fill: blue }) +
      text(365, 78, 'missed', { fill: grey }) +
      text(365, 96, 'false', { fill: red }) +
      text(365, 114, '1 − IoU of the right', { fill: green }) +
      text(365, 145, `oLRP ${best.error.toFixed(2)}`, { weight: 'bold' }) +
      text(365, 163, `at the score ${best.score.toFixed(2)}`, { weight: 'bold' }),
  );
}

function curves(data) {
  const curve = scoreCurve(Array.from(outcomesByClass(data)));
  const { at, body } = axes(45, 30, 300, 200, 'score threshold', 'precision, recall, F1');
  const points = Array.from({ length: 100 }, (_, i) => operatingPoint(curve, (i + 1) / 101));
  const draw = (name) => points.map((point) => at(point.threshold, point[name]));
  const best = points.reduce((top, point) => (point.f1 > top.f1 ? point : top));
  return svg(
    520,
    280,
    'Precision, recall and F1 over the score threshold',
    body +
      line(draw('precision'), green) +
      line(draw('recall'), red) +
      line(draw('f1'), blue) +
      dot(...at(best.threshold, best.f1), blue) +
      text(365, 60, 'precision', { fill: green }) +
      text(365, 78, 'recall', { fill: red }) +
      text(365, 96, 'F1', { fill: blue }) +
      text(365, 125, `best F1 ${best.f1.toFixed(2)}`, { weight: 'bold' }) +
      text(365, 143, `near the score ${best.threshold.toFixed(2)}`, { weight: 'bold' }),
  );
}

function confusion(data) {
  const matrix = new ConfusionMatrix({ classes: data.classes });
  for (const picture of picturesOf(data)) matrix.addPicture(picture);
  const { labels, counts } = matrix.result();
  const most = Math.max(...counts.flat());
  const cells = counts.flatMap((row, i) =>
    row.map((count, j) => {
      const [x, y] = [110 + 75 * j, 45 + 42 * i];
      const shade = Math.round(100 * (1 - (0.75 * count) / most));
      const fill = i === j ? `hsl(140 45% ${shade}%)` : `hsl(0 65% ${shade}%)`;
      return `<rect x="${x}" y="${y}" width="73" height="40" fill="${i === 3 && j === 3 ? '#fff' : fill}"/>${text(x + 36, y + 25, i === 3 && j === 3 ? '' : `${count}`, { anchor: 'middle', fill: shade < 55 ? '#fff' : ink })}`;
    }),
  );
  const names = labels.map(
    (name, i) => text(100, 70 + 42 * i, name, { anchor: 'end' }) + text(147 + 75 * i, 38, name, { anchor: 'middle' }),
  );
  return svg(
    430,
    240,
    'Confusion of classes and background',
    cells.join('') +
      names.join('') +
      text(110, 18, 'detected as', { fill: grey }) +
      text(20, 38, 'object', { fill: grey }),
  );
}

function reliability(data) {
  const { bins, dEce } = calibration(data, { bins: 10 });
  const { at, body } = axes(45, 30, 200, 200, 'score', 'precision');
  const bars = bins
    .filter(({ detections }) => detections > 0)
    .map(({ from, to, precision }) => {
      const [x, y] = at(from, precision);
      const [end, zero] = at(to, 0);
      return `<rect x="${fixed(x + 1)}" y="${fixed(y)}" width="${fixed(end - x - 2)}" height="${fixed(zero - y)}" fill="${blue}" fill-opacity="0.5"/>`;
    });
  return svg(
    440,
    280,
    'Reliability: precision of the detections of each range of scores',
    body +
      bars.join('') +
      line([at(0, 0), at(1, 1)], grey, { dash: '4 3', width: 1 }) +
      text(270, 60, 'dashed: scores that are', { fill: grey }) +
      text(270, 76, 'probabilities', { fill: grey }) +
      text(270, 102, `D-ECE ${dEce.toFixed(2)}`, { weight: 'bold' }),
  );
}

async function interval(data) {
  const { AP } = await bootstrapPrecision(data);
  const place = (value) => 40 + (value - 0.1) * 1000;
  const [from, to, own] = [AP.low, AP.high, AP.value].map(place);
  const ticks = [0.15, 0.25, 0.35, 0.45].map((tick) =>
    text(place(tick), 92, `${tick}`, { anchor: 'middle', fill: grey, size: 10 }),
  );
  return svg(
    480,
    105,
    'AP with its bootstrap interval',
    line(
      [
        [40, 75],
        [440, 75],
      ],
      faint,
      { width: 1 },
    ) +
      ticks.join('') +
      line(
        [
          [from, 55],
          [to, 55],
        ],
        blue,
        { width: 4 },
      ) +
      dot(own, 55, ink) +
      text(own, 40, `AP ${AP.value.toFixed(2)}`, { anchor: 'middle', weight: 'bold' }) +
      text(from, 40, AP.low.toFixed(2), { anchor: 'end', fill: blue }) +
      text(to, 40, AP.high.toFixed(2), { fill: blue }) +
      text(40, 18, 'about 95 of 100 such intervals hold what many more pictures would give', { fill: grey, size: 11 }),
  );
}

function federated() {
  const rows = [
    ['has one', 'right or false', green],
    ['known to be absent', 'false', red],
    ['not looked for', 'does not count', grey],
    ['has some, not all marked', 'right, or does not count', blue],
  ];
  const body = rows.map(([state, judged, fill], i) => {
    const y = 45 + 30 * i;
    return `<rect x="20" y="${y - 14}" width="12" height="12" fill="${fill}"/>${text(42, y - 4, state)}${text(300, y - 4, judged, { fill })}`;
  });
  return svg(
    490,
    155,
    'How a detection is judged by what is known of its class in the picture',
    text(42, 20, 'what is known of the class in the picture', { fill: grey }) +
      text(300, 20, 'its detection is', { fill: grey }) +
      body.join(''),
  );
}

const everything = { name: 'all', from: 0, to: 1e10 };
const data = example();
const pictures = {
  'iou.svg': overlap(),
  'average-precision.svg': averagePrecision(data),
  'tide.svg': tide(),
  'optimal-lrp.svg': lrp(data),
  'score-curves.svg': curves(data),
  'confusion.svg': confusion(data),
  'calibration.svg': reliability(data),
  'bootstrap.svg': await interval(data),
  'federated.svg': federated(),
};

mkdirSync(folder, { recursive: true });
for (const [name, content] of Object.entries(pictures)) {
  const file = new URL(name, folder);
  if (!process.argv.includes('--check')) writeFileSync(file, content);
  else if (readFileSync(file, 'utf8') !== content) {
    console.error(`docs/pictures/${name} is not what scripts/metric-pictures.mjs draws: run it.`);
    process.exitCode = 1;
  }
}
