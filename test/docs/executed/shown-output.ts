// Whether a program printed what a document shows, but for figures.

/** Lines of `shown` that `actual` does not have in this order. A figure stands for any, `…` for anything. */
export function missingLines(
  shown: string,
  actual: string,
  otherwise: Readonly<Record<string, string>> = {},
): string[] {
  const left = actual.split('\n');
  return shown
    .split('\n')
    .filter((line) => line.trim() !== '' && line.trim() !== '…')
    .filter((line) => {
      const at = left.findIndex((other) => patternOf(line, otherwise).test(other));
      left.splice(0, at + 1);
      return at < 0;
    });
}

function patternOf(line: string, otherwise: Readonly<Record<string, string>>): RegExp {
  const parts = [...Object.keys(otherwise).map(escaped), String.raw`\d+(?:\.\d+)?`, '…', String.raw`\s+`];
  const source = line
    .trim()
    .split(new RegExp(`(${parts.join('|')})`))
    .map((part) => {
      if (Object.hasOwn(otherwise, part)) return otherwise[part];
      if (/^\d/.test(part)) return String.raw`\d+(?:\.\d+)?`;
      if (part === '…') return '.*';
      return /^\s+$/.test(part) ? String.raw`\s+` : escaped(part);
    });
  return new RegExp(`^\\s*${source.join('')}\\s*$`);
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** What of a JSON document, or of each of its lines, was not printed. Lines may be among others, and on stderr. */
export function missingJson(shown: string, stdout: string, stderr: string): string[] {
  const lines = shown.trim().split('\n');
  if (lines.length > 1 && !isJson(lines[0])) return missingKeys(JSON.parse(shown), JSON.parse(stdout));
  const printed = `${stdout}\n${stderr}`
    .split('\n')
    .filter(isJson)
    .map((line) => JSON.parse(line) as unknown);
  return lines.flatMap((line) => {
    const problems = printed.map((other) => missingKeys(JSON.parse(line), other));
    if (problems.some(({ length }) => length === 0)) return [];
    return problems.sort((a, b) => a.length - b.length)[0] ?? [line];
  });
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

/** Keys and kinds of values that are shown but not there; a list's first entry stands for all. */
function missingKeys(shown: unknown, actual: unknown, path = ''): string[] {
  if (Array.isArray(shown)) {
    if (!Array.isArray(actual)) return [`${path}: expected a list`];
    return shown.length === 0 || actual.length === 0 ? [] : missingKeys(shown[0], actual[0], `${path}[0]`);
  }
  if (typeof shown !== typeof actual || (shown === null) !== (actual === null))
    return [`${path}: expected ${JSON.stringify(shown)}, found ${JSON.stringify(actual)}`];
  if (typeof shown !== 'object' || shown === null) return [];
  return Object.entries(shown).flatMap(([key, value]) =>
    Object.hasOwn(actual as object, key)
      ? missingKeys(value, (actual as Record<string, unknown>)[key], `${path}.${key}`)
      : [`${path}.${key}: is not there`],
  );
}
