// README.md and docs/ as tests read them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A fenced block of a document. */
export interface Snippet {
  /** Relative to the root. */
  readonly file: string;
  /** Line of its first line, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The comment right above it, which readers do not see: what the snippet needs to stand alone. */
  readonly needs: string;
}

export const documents: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

const fenced = /(?:<!-- needs:\n?([\s\S]*?)-->\n)?^```(\w*)\n([\s\S]*?)^```$/gm;

export function snippetsOf(file: string): Snippet[] {
  const text = textOf(file);
  return [...text.matchAll(fenced)].map(({ 0: whole, 1: needs = '', 2: language, 3: body, index }) => {
    const start = index + whole.indexOf('```');
    return { file, line: text.slice(0, start).split('\n').length + 1, language, text: body, needs: needs.trim() };
  });
}

export const examples: readonly string[] = readdirSync(join(root, 'examples'))
  .filter((name) => /\.(mjs|py)$/.test(name))
  .map((name) => `examples/${name}`);

/** The command lines in the comment that an example begins with, as one snippet. */
export function headerOf(file: string): Snippet[] {
  const lines = textOf(file).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//') && !line.startsWith('"""'));
  const commands = lines.slice(0, end).map((line) => /^\/\/ {3}(\S.*)$|(python \S+\.py .*)"""$/.exec(line));
  const text = commands.map((match) => match?.[1] ?? match?.[2] ?? '').join('\n');
  return [{ file, line: 1, language: 'sh', text, needs: '' }];
}
