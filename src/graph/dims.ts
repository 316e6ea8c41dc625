import type { Dim, Shape, Type } from './value.js';
import { shapeError } from './value.js';

/**
 * `dim + add`, symbolic where the dimension is free. Numbers are gathered, so that what a "same" convolution takes and
 * gives back is the same expression: `(height - 1) + 1` is `height`.
 */
export function dimPlus(dim: Dim, add: number): Dim {
  if (typeof dim === 'number') return dim + add;
  const [, term, sign, amount] = /^(.+) ([+-]) (\d+)$/.exec(dim) ?? [];
  const base = term === undefined ? dim : ungroup(term);
  const total = add + (term === undefined ? 0 : Number(`${sign}${amount}`));
  if (total === 0) return base;
  return total > 0 ? `${group(base)} + ${total}` : `${group(base)} - ${-total}`;
}

/** The product; a number stands behind what is free. */
export function dimTimes(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (typeof a === 'number') return dimTimes(b, a);
  if (typeof b === 'string') return `${group(a)}*${group(b)}`;
  if (b === 0) return 0;
  const { rest, factor } = splitFactor(a);
  return factor * b === 1 ? rest : `${group(rest)}*${factor * b}`;
}

/** ⌊dim / by⌋ or ⌈dim / by⌉. */
export function dimDivide(dim: Dim, by: number, round: 'floor' | 'ceil' = 'floor'): Dim {
  if (by === 1) return dim;
  if (typeof dim === 'number') return Math[round](dim / by);
  const { rest, factor } = splitFactor(dim);
  return factor % by === 0 ? dimTimes(rest, factor / by) : `${round}(${group(dim)}/${by})`;
}

/** A product `rest*factor` taken apart; the factor is 1 where there is none. */
function splitFactor(dim: string): { rest: string; factor: number } {
  const parts = isSum(dim) ? null : /^(.+)\*(\d+)$/.exec(dim);
  return parts ? { rest: ungroup(parts[1]), factor: Number(parts[2]) } : { rest: dim, factor: 1 };
}

/** Whether the expression is a sum outside of all parentheses. */
function isSum(dim: string): boolean {
  return withoutParentheses(dim).includes(' ');
}

function withoutParentheses(dim: string): string {
  const shorter = dim.replace(/\([^()]*\)/g, '');
  return shorter === dim ? dim : withoutParentheses(shorter);
}

function group(dim: Dim): string {
  return typeof dim === 'string' && isSum(dim) ? `(${dim})` : `${dim}`;
}

function ungroup(dim: string): string {
  return dim.startsWith('(') && withoutParentheses(dim) === '' ? dim.slice(1, -1) : dim;
}

export function dimProduct(dims: Shape): Dim {
  return dims.reduce(dimTimes, 1);
}

/** Whether the dimensions may be equal: unknown counts as yes. */
export function dimsAgree(a: Dim, b: Dim): boolean {
  return typeof a !== 'number' || typeof b !== 'number' || a === b;
}

/** The better known of two dimensions that have to be equal. */
export function mergeDim(a: Dim, b: Dim): Dim {
  return typeof a === 'number' ? a : typeof b === 'number' ? b : a;
}

/** A fresh symbol for a dimension that only the data decides, such as the number of boxes that survive suppression. */
export function freshDim(name: string): Dim {
  return `${name}_${counter++}`;
}
let counter = 0;

/** NumPy's broadcasting. A free dimension against a number greater than 1 must be that number at run time. */
export function broadcastShapes(operator: string, inputs: readonly Type[]): Shape {
  const rank = Math.max(...inputs.map((input) => input.shape.length));
  const shape: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let dim: Dim = 1;
    for (const input of inputs) {
      const at = axis - (rank - input.shape.length);
      if (at < 0) continue;
      const other = input.shape[at];
      if (other === 1 || other === dim) continue;
      if (dim === 1) dim = other;
      else if (dimsAgree(dim, other)) dim = mergeDim(dim, other);
      else throw shapeError(operator, `shapes do not broadcast: ${dim} against ${other} at axis ${axis}.`, inputs);
    }
    shape.push(dim);
  }
  return shape;
}

/** An axis counted from the front; negative ones count from the back. */
export function normalizeAxis(operator: string, axis: number, rank: number, inputs: readonly Type[] = []): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw shapeError(operator, `axis ${axis} is not within rank ${rank}.`, inputs);
  }
  return positive;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}
