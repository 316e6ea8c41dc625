// Draws a directed graph without circles in layers, as SVG that is readable on light and dark ground: who feeds whom goes
// down, edges that pass a layer get a place in it, and the order within layers is the one with the fewest crossings found.

const [nodeHeight, layerGap, nodeGap, passing, charWidth] = [36, 30, 14, 8, 6.9];
const colours = {
  input: ['#ddf4ff', '#0969da'],
  forward: ['#dafbe1', '#1a7f37'],
  gradient: ['#fff1e5', '#bc4c00'],
  update: ['#fbefff', '#8250df'],
  constant: ['#eaeef2', '#6e7781'],
};
const edgeColour = '#8c959f';

const fixed = (value) => `${Math.round(10 * value) / 10}`;
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * @param nodes {id, label, under, kind}: `under` is a second line
 * @param edges [from, to] of ids
 * @param legend names of the kinds that it explains
 */
export function drawGraph({ about, nodes, edges, legend = {} }) {
  const layers = layered(nodes, edges);
  const width = place(layers);
  const keys = Object.entries(legend);
  const top = keys.length > 0 ? 34 : 6;
  const placed = layers.flat();
  for (const node of placed) node.y = top + node.layer * (nodeHeight + layerGap);
  const height = top + layers.length * (nodeHeight + layerGap) - layerGap + 6;
  let x = 6;
  const key = keys.map(([kind, text]) => {
    const own = 16 + charWidth * text.length;
    const drawn = box(kind, x, 4, own, 20) + words(x + own / 2, 18, text);
    x += own + 8;
    return drawn;
  });
  const body = [
    ...placed.flatMap((node) => node.to.map((next) => edge(node, next))),
    ...placed.filter(({ real }) => real).map(drawNode),
    ...key,
  ];
  const size = `${Math.ceil(Math.max(width, x))} ${Math.ceil(height)}`;
  const [w, h] = size.split(' ');
  const arrow = `<marker id="a" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L6 3L0 6z" fill="${edgeColour}"/></marker>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" width="${w}" height="${h}" role="img" font-family="system-ui, sans-serif" font-size="12"><title>${escaped(about)}</title><defs>${arrow}</defs>${body.join('')}</svg>\n`;
}

function drawNode({ kind, x, y, size, label, under }) {
  const lines = under
    ? words(x, y + 15, label) + words(x, y + 29, under, { size: 10, fill: '#57606a' })
    : words(x, y + 22, label);
  return box(kind, x - size / 2, y, size, nodeHeight) + lines;
}

const box = (kind, x, y, width, height) =>
  `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${height}" rx="5" fill="${colours[kind][0]}" stroke="${colours[kind][1]}"/>`;
const words = (x, y, text, { size = 12, fill = '#1f2328' } = {}) =>
  `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="middle" font-size="${size}" fill="${fill}">${escaped(text)}</text>`;

/** From the lower side of a node to the upper side of another; through places where an edge only passes. */
function edge(from, to) {
  const [y1, y2] = [from.y + (from.real ? nodeHeight : nodeHeight / 2), to.y + (to.real ? 0 : nodeHeight / 2)];
  const bend = (y2 - y1) / 2;
  const curve = `M${fixed(from.x)} ${fixed(y1)}C${fixed(from.x)} ${fixed(y1 + bend)} ${fixed(to.x)} ${fixed(y2 - bend)} ${fixed(to.x)} ${fixed(y2)}`;
  return `<path d="${curve}" fill="none" stroke="${edgeColour}"${to.real ? ' marker-end="url(#a)"' : ''}/>`;
}

/** Nodes with their layers: as high as possible, but what nothing feeds right above what it feeds first. */
function layered(given, edges) {
  const nodes = new Map(
    given.map((node) => {
      const size = Math.max(charWidth * node.label.length, 5.8 * (node.under ?? '').length) + 18;
      return [node.id, { ...node, real: true, size, to: [], from: [], layer: 0 }];
    }),
  );
  const unique = new Set(edges.map(([from, to]) => `${from} ${to}`));
  for (const pair of unique) {
    const [from, to] = pair.split(' ').map((id) => nodes.get(Number(id)));
    from.to.push(to);
    to.from.push(from);
  }
  const deepen = (node, layer) => {
    if (layer < node.layer) return;
    node.layer = layer;
    for (const next of node.to) deepen(next, layer + 1);
  };
  for (const node of nodes.values()) if (node.from.length === 0) deepen(node, 0);
  for (const node of nodes.values())
    if (node.from.length === 0 && node.to.length > 0) node.layer = Math.min(...node.to.map(({ layer }) => layer)) - 1;
  const layers = Array.from({ length: 1 + Math.max(...[...nodes.values()].map(({ layer }) => layer)) }, () => []);
  for (const node of nodes.values()) layers[node.layer].push(node);
  for (const node of [...nodes.values()]) node.to = node.to.map((next) => through(layers, node, next));
  return ordered(layers);
}

/** The first of the places through which an edge passes the layers between, or its end. */
function through(layers, from, to) {
  if (to.layer === from.layer + 1) return to;
  const place = { real: false, size: passing, to: [], from: [from], layer: from.layer + 1 };
  layers[place.layer].push(place);
  to.from = to.from.map((node) => (node === from ? place : node));
  place.to = [through(layers, place, to)];
  return place;
}

/** Each layer in the order of its neighbours' middles, down and up in turn; the best order on the way is kept. */
function ordered(layers) {
  const number = () => {
    for (const layer of layers)
      layer.forEach((node, i) => {
        node.order = i;
      });
  };
  number();
  let best = { crossings: crossings(layers), layers: layers.map((layer) => [...layer]) };
  for (let sweep = 0; sweep < 40; sweep++) {
    const neighbours = sweep % 2 === 0 ? 'from' : 'to';
    const turn = sweep % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of turn) {
      for (const node of layer)
        node.middle = node[neighbours].length ? mean(node[neighbours].map(({ order }) => order)) : node.order;
      layer.sort((a, b) => a.middle - b.middle);
      layer.forEach((node, i) => {
        node.order = i;
      });
    }
    const found = crossings(layers);
    if (found < best.crossings) best = { crossings: found, layers: layers.map((layer) => [...layer]) };
  }
  best.layers.forEach((layer, i) => {
    layers[i] = layer;
  });
  number();
  return layers;
}

function crossings(layers) {
  let count = 0;
  for (const layer of layers) {
    const edges = layer.flatMap((node) => node.to.map((next) => [node.order, next.order]));
    for (const [i, [a, b]] of edges.entries())
      for (const [c, d] of edges.slice(i + 1)) if ((a - c) * (b - d) < 0) count++;
  }
  return count;
}

/** Gives every node its middle: near its neighbours', in order, and apart. Returns the width. */
function place(layers) {
  const apart = (a, b) => (a.size + b.size) / 2 + nodeGap;
  for (const layer of layers) {
    let x = 0;
    layer.forEach((node, i) => {
      x += i > 0 ? apart(layer[i - 1], node) : node.size / 2;
      node.x = x;
    });
  }
  for (let round = 0; round < 200; round++) {
    const turn = round % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of turn) {
      const wish = layer.map((node) => {
        const around = [...node.from, ...node.to];
        return around.length > 0 ? mean(around.map(({ x }) => x)) : node.x;
      });
      // Once pushed to the right, once to the left: the mean keeps order and distance.
      const right = [...wish];
      for (let i = 1; i < right.length; i++)
        right[i] = Math.max(right[i], right[i - 1] + apart(layer[i - 1], layer[i]));
      const left = [...wish];
      for (let i = left.length - 2; i >= 0; i--)
        left[i] = Math.min(left[i], left[i + 1] - apart(layer[i], layer[i + 1]));
      layer.forEach((node, i) => {
        node.x = (right[i] + left[i]) / 2;
      });
    }
  }
  const all = layers.flat();
  const from = Math.min(...all.map(({ x, size }) => x - size / 2)) - 6;
  for (const node of all) node.x -= from;
  return Math.max(...all.map(({ x, size }) => x + size / 2)) + 6;
}
