import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { BoxwrightError } from '../errors.js';

/** Options of commands that take weights which do not say themselves what they are. */
export const modelOptions = {
  model: { type: 'string', describe: 'Name of the model, for weights that do not say it themselves' },
  classes: {
    type: 'string',
    describe: 'Its classes in their order: a,b,c, a file with one a line (or a JSON list), or coco',
  },
} as const;

/**
 * Class names from `a,b,c` or from a file: one a line, or a JSON list; `coco` is COCO's 80.
 *
 * @throws BoxwrightError `config` if a name is empty or there twice; `io` if the file cannot be read.
 */
export async function classList(text: string | undefined): Promise<string[] | undefined> {
  if (text === undefined) return undefined;
  // A folder of that name is somebody's data set, and no list.
  const isFile = statSync(text, { throwIfNoEntry: false })?.isFile() ?? false;
  if (text === 'coco' && !isFile) return [...(await import('../hub/coco-classes.js')).cocoClasses];
  const names = isFile ? await fromFile(text) : text.split(',').map((name) => name.trim());
  const empty = names.indexOf('');
  if (empty !== -1) throw new BoxwrightError('config', `--classes ${text}: name ${empty + 1} is empty.`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new BoxwrightError('config', `--classes ${text}: "${twice}" is there twice.`);
  return names;
}

async function fromFile(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new BoxwrightError('io', `${path}: cannot be read (${cause.message})`, { cause });
  });
  if (text.trimStart().startsWith('[')) return fromJson(path, text);
  return text
    .replace(/\s+$/, '')
    .split(/\r?\n/)
    .map((line) => line.trim());
}

function fromJson(path: string, text: string): string[] {
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch (cause) {
    throw new BoxwrightError('config', `${path}: is no JSON (${(cause as Error).message})`, { cause });
  }
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  throw new BoxwrightError('config', `${path}: expected a JSON list of names.`);
}
