import { BoxwrightError } from '../errors.js';
import { type DataProblem, type GroundTruth, type PixelBox, type ProblemKind, placeOf } from './dataset.js';

/** Where a box was read, for messages. */
export interface BoxOrigin {
  readonly file: string;
  readonly line?: number;
  readonly index?: number;
  /** The numbers as the file has them, where they differ from the box. */
  readonly written?: readonly number[];
}

/** Gathers what is odd while a data set is read. */
export interface Findings {
  readonly problems: DataProblem[];
  /** Whether what makes an object or a picture unusable is a problem like others instead of an error. */
  readonly tolerant: boolean;
}

/**
 * Tells of an object or picture that cannot be used: an error, or where findings are tolerant a problem, and the thing is
 * left out. `advice` says what to do about it.
 */
export function refuse(
  findings: Findings,
  kind: ProblemKind,
  { file, line, index }: BoxOrigin,
  what: string,
  advice: string,
): undefined {
  if (!findings.tolerant) throw new BoxwrightError('data', `${placeOf({ file, line, index })}: ${what}; ${advice}`);
  findings.problems.push({ kind, file, line, index, what, action: 'dropped' });
  return undefined;
}

/** Runs what reads one file or picture; in tolerant findings a `data` error of it is a problem of that file. */
export async function survive<T>(
  findings: Findings,
  file: string,
  read: () => T | Promise<T>,
  kind: ProblemKind = 'unusable',
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!findings.tolerant || !(error instanceof BoxwrightError) || error.code !== 'data') throw error;
    const rest = error.message.startsWith(file) ? error.message.slice(file.length) : '';
    const [before, line, object] = /^(?:, line (\d+))?(?:, object (\d+))?: /.exec(rest) ?? [];
    findings.problems.push({
      kind,
      file,
      ...(line === undefined ? {} : { line: Number(line) }),
      ...(object === undefined ? {} : { index: Number(object) }),
      what: before === undefined ? error.message : rest.slice(before.length),
      action: 'dropped',
    });
    return undefined;
  }
}

/** Pixels by which a box may reach beyond its picture because the file's numbers are rounded, without a word about it. */
const ROUNDING = 0.01;

/**
 * A box that can be trained on, or undefined if it has to be left out. A box of no area or wholly outside the picture is
 * dropped, one partly outside is clipped; both are added to the problems. Coordinates that are not finite numbers are
 * refused.
 */
export function checkBox(
  box: readonly number[],
  picture: { readonly width: number; readonly height: number },
  origin: BoxOrigin,
  findings: Findings,
): PixelBox | undefined {
  const { file, line, index, written = box } = origin;
  if (box.length !== 4 || !box.every(Number.isFinite)) {
    const what = `its box is [${written.join(', ')}], but four finite numbers are needed`;
    return refuse(findings, 'not a number', origin, what, 'correct or remove the object');
  }
  const [x1, y1, x2, y2] = box as PixelBox;
  const { width, height } = picture;
  const note = (kind: ProblemKind, what: string, action: DataProblem['action']) => {
    const where = { file, ...(line === undefined ? {} : { line }), ...(index === undefined ? {} : { index }) };
    findings.problems.push({ kind, ...where, what: `box [${written.join(', ')}] ${what}`, action });
    return undefined;
  };
  const size = `the picture of ${width}×${height} pixels`;
  if (x2 <= x1 || y2 <= y1) {
    return note('no size', `has zero or negative size (${short(x2 - x1)}×${short(y2 - y1)} pixels)`, 'dropped');
  }
  if (x1 >= width || y1 >= height || x2 <= 0 || y2 <= 0) return note('outside', `lies outside ${size}`, 'dropped');
  const clipped: PixelBox = [Math.max(x1, 0), Math.max(y1, 0), Math.min(x2, width), Math.min(y2, height)];
  if (clipped.some((side, i) => Math.abs(side - box[i]) > ROUNDING))
    note('beyond', `reaches beyond ${size}`, 'clipped');
  return clipped;
}

/** At most three decimals, as what was computed has more than was written. */
function short(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** `annotated` of an object whose box was clipped from `edges`; nothing for one that was taken as it is. */
export function annotatedBox(box: PixelBox, edges: readonly number[]): { annotated?: PixelBox } {
  return box.every((side, i) => side === edges[i]) ? {} : { annotated: edges as PixelBox };
}

/** `origin` of an object of an inspection, whose oddities are told later. */
export function originOf(findings: Findings, { file, line, index }: BoxOrigin): Pick<GroundTruth, 'origin'> {
  return findings.tolerant ? { origin: { file, line, index } } : {};
}

/** Throws `BoxwrightError('data')` unless width and height are whole numbers above zero. */
export function checkSize(file: string, width: number, height: number): { width: number; height: number } {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new BoxwrightError(
      'data',
      `${file}: the picture's size is given as ${width}×${height}, not two whole numbers above 0`,
    );
  }
  return { width, height };
}
