import type { Random } from '../../data/augment/random.js';
import { type Polygon, polygonArea, type VisibleExtent, visibleExtents } from './visible-extent.js';

/** Classes of the demo's data set, by label. */
export const shapeNames = ['circle', 'square', 'triangle', 'star'] as const;

/** One shape of a picture. Its colour hints at its class, but neighbouring classes share half of their hues. */
export interface Shape {
  readonly label: number;
  readonly polygon: Polygon;
  readonly colours: readonly [string, string];
  readonly seen: VisibleExtent;
}

/** What a picture shows: `ground` is a colour each for its corners top left and bottom right. */
export interface Scene {
  readonly ground: readonly [Rgb, Rgb];
  readonly clutter: readonly string[];
  readonly shapes: readonly Shape[];
}

export type Rgb = readonly [number, number, number];

/** At least this part of a shape must be seen, or what it is cannot be told. */
const leastVisible = 0.6;

/** Rows a pixel with which a shape's place is tried, and its box is taken. */
const coarse = 1;
const fine = 4;

/** Draws up a picture of `size` × `size` pixels with one to seven shapes; what comes out depends on `random` alone. */
export function composeScene(random: Random, size: number): Scene {
  const ground: [Rgb, Rgb] = [anyColour(random), anyColour(random)];
  const clutter = Array.from({ length: 3 + random.int(6) }, () => clutterSvg(random, size));
  const placed: { label: number; polygon: Polygon; colours: [string, string] }[] = [];
  const used: Rgb[] = [...ground];
  const wanted = 1 + random.int(7);
  for (let attempt = 0; attempt < 6 * wanted && placed.length < wanted; attempt++) {
    const label = random.int(shapeNames.length);
    const polygon = anyPolygon(random, label, size);
    const colour = colourAgainst(random, label, used);
    const polygons = [...placed.map((shape) => shape.polygon), polygon];
    const seen = visibleExtents(polygons, size, coarse);
    if (!seen.every(({ area }, i) => area >= leastVisible * polygonArea(polygons[i]))) continue;
    used.push(colour);
    placed.push({ label, polygon, colours: [css(colour), css(shaded(colour, random.uniform(0.7, 1.15)))] });
  }
  const seen = visibleExtents(
    placed.map((shape) => shape.polygon),
    size,
    fine,
  );
  return { ground, clutter, shapes: placed.map((shape, i) => ({ ...shape, seen: seen[i] })) };
}

/** The scene without its ground, as SVG. */
export function sceneSvg({ clutter, shapes }: Scene, size: number): string {
  const fills = shapes.map(({ colours: [from, to] }, i) => {
    const stops = `<stop offset="0" stop-color="${from}"/><stop offset="1" stop-color="${to}"/>`;
    return `<linearGradient id="f${i}" x2="0.7" y2="1">${stops}</linearGradient>`;
  });
  const paths = shapes.map(({ polygon }, i) => `<path d="${pathOf(polygon)}" fill="url(#f${i})"/>`);
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">`;
  return `${head}<defs>${fills.join('')}</defs>${clutter.join('')}${paths.join('')}</svg>`;
}

function anyPolygon(random: Random, label: number, size: number): Polygon {
  // Small shapes are as frequent as large ones when the logarithm is drawn evenly.
  const radius = size * Math.exp(random.uniform(Math.log(0.055), Math.log(0.22)));
  // A shape may be cut off by the edge, but not so much that it cannot be told.
  const [x, y] = [random.uniform(0.06 * size, 0.94 * size), random.uniform(0.06 * size, 0.94 * size)];
  const turn = random.uniform(0, 2 * Math.PI);
  const corners = [48, 4, 3, 10][label];
  // Equal areas by and large, so that size does not give the class away.
  const scale = [1, 1.25, 1.5, 1.35][label];
  const polygon = new Float64Array(2 * corners);
  for (let i = 0; i < corners; i++) {
    const angle = turn + (2 * Math.PI * i) / corners;
    const reach = radius * scale * (shapeNames[label] === 'star' && i % 2 === 1 ? 0.45 : 1);
    polygon[2 * i] = x + reach * Math.cos(angle);
    polygon[2 * i + 1] = y + reach * Math.sin(angle);
  }
  return polygon;
}

/** Something that is none of the shapes: a line, a bent line, a bar, an arc, or a handful of specks. */
function clutterSvg(random: Random, size: number): string {
  const at = () => `${random.uniform(0, size).toFixed(1)} ${random.uniform(0, size).toFixed(1)}`;
  const colour = css(anyColour(random));
  const width = (size * random.uniform(0.006, 0.03)).toFixed(1);
  const stroke = `fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-opacity="0.8"`;
  switch (random.int(4)) {
    case 0:
      return `<path d="M${at()}L${at()}" ${stroke}/>`;
    case 1:
      return `<path d="M${at()}L${at()}L${at()}" ${stroke}/>`;
    case 2:
      return `<path d="M${at()}Q${at()} ${at()}" ${stroke}/>`;
    default:
      return `<path d="${Array.from({ length: 8 }, () => `M${at()}l0 0`).join('')}" ${stroke}/>`;
  }
}

function anyColour(random: Random): Rgb {
  return [random.uniform(25, 230), random.uniform(25, 230), random.uniform(25, 230)];
}

/**
 * As ripe fruit has colours that are usual for its kind: a hue around the class's own, a third of the circle wide. It is
 * what lets a network from scratch learn in two minutes; the shape has to decide where hues overlap.
 */
function classColour(random: Random, label: number): Rgb {
  const hue = (360 * label) / shapeNames.length + random.uniform(-60, 60);
  const saturation = random.uniform(0.5, 1);
  const lightness = random.uniform(0.3, 0.7);
  const spread = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (((offset + hue / 30) % 12) + 12) % 12;
    return 255 * (lightness - spread * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

/** A colour that stands out from those in use: the two ends of the ground, and the other shapes. */
function colourAgainst(random: Random, label: number, used: readonly Rgb[]): Rgb {
  for (let least = 130; ; least -= 5) {
    const colour = classColour(random, label);
    if (used.every((other) => Math.hypot(...colour.map((value, i) => value - other[i])) >= least)) return colour;
  }
}

function shaded(colour: Rgb, factor: number): Rgb {
  return colour.map((value) => Math.min(255, value * factor)) as unknown as Rgb;
}

function css(colour: Rgb): string {
  return `rgb(${colour.map(Math.round).join(',')})`;
}

function pathOf(polygon: Polygon): string {
  const points = Array.from({ length: polygon.length / 2 }, (_, i) => {
    return `${polygon[2 * i].toFixed(3)} ${polygon[2 * i + 1].toFixed(3)}`;
  });
  return `M${points.join('L')}Z`;
}
