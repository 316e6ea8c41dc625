import { BoxwrightError } from '../errors.js';

/** Index by class name; throws `BoxwrightError('data')` if a name comes twice or there is none. */
export function classIndex(classes: readonly string[], place: string): Map<string, number> {
  if (classes.length === 0)
    throw new BoxwrightError('data', `${place}: no class is named anywhere; label at least one object`);
  const index = new Map(classes.map((name, i) => [name, i]));
  if (index.size !== classes.length) {
    const twice = classes.find((name, i) => classes.indexOf(name) !== i);
    throw new BoxwrightError('data', `${place}: class '${twice}' is listed twice; class names must differ`);
  }
  return index;
}

/** Throws `BoxwrightError('data')` if the data have classes that the wanted list lacks. */
export function requireKnownClasses(found: readonly string[], wanted: readonly string[], place: string): void {
  const unknown = found.filter((name) => !wanted.includes(name));
  if (unknown.length === 0) return;
  throw new BoxwrightError(
    'data',
    `${place}: class ${unknown.map((name) => `'${name}'`).join(', ')} is not among the ${wanted.length} expected ones (${wanted.join(', ')})`,
  );
}
