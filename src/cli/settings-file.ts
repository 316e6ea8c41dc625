// boxwright.config.{json,ts,js,mjs}: options of commands for a whole project, which the command line overrules.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BoxwrightError } from '../errors.js';
import { nearestName } from '../models/nearest-name.js';
import { type AnyCommand, nameOf, type OptionSpec } from './command.js';

/** Settings by command, each by the name that the option has on the command line. */
export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const names = ['boxwright.config.json', 'boxwright.config.ts', 'boxwright.config.mjs', 'boxwright.config.js'];

/**
 * Reads the settings of a folder, or of the file that was asked for; none if there is none.
 *
 * @throws BoxwrightError `config` if it is not such a file: the message names command and setting, with the nearest name.
 */
export async function readSettings(folder: string, asked: string | undefined, commands: readonly AnyCommand[]) {
  const path = asked === undefined ? findSettings(folder) : resolve(folder, asked);
  if (path === undefined) return undefined;
  return { path, settings: checked(path, await contentOf(path), commands) };
}

function findSettings(folder: string): string | undefined {
  const found = names.filter((name) => existsSync(join(folder, name)));
  if (found.length > 1)
    throw new BoxwrightError(
      'config',
      `${folder}: ${found.join(' and ')} are both there: keep one, or name one by --config.`,
    );
  return found.length === 1 ? join(folder, found[0]) : undefined;
}

async function contentOf(path: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(readFileSync(path, 'utf8'));
    const module = path.endsWith('.ts') ? await importTypescript(path) : await import(pathToFileURL(path).href);
    return module.default;
  } catch (cause) {
    throw new BoxwrightError('config', `${path}: it cannot be read (${(cause as Error).message}).`, { cause });
  }
}

async function importTypescript(path: string): Promise<{ default: unknown }> {
  const { createJiti } = await import('jiti');
  return createJiti(import.meta.url, { fsCache: false }).import(path) as Promise<{ default: unknown }>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function checked(path: string, value: unknown, commands: readonly AnyCommand[]): Settings {
  if (!isObject(value))
    throw new BoxwrightError('config', `${path}: expected settings by command, such as { "train": { "epochs": 40 } }.`);
  // By $schema editors know what can stand here.
  const { $schema, ...byCommand } = value;
  if ($schema !== undefined && typeof $schema !== 'string')
    throw new BoxwrightError('config', `${path}: $schema: expected a string, found ${show($schema)}.`);
  const settings = Object.entries(byCommand).map(([name, own]) => {
    const command = commands.find((candidate) => nameOf(candidate) === name);
    if (!command) throw unknown(path, name, `command "${name}"`, commands.map(nameOf));
    if (!isObject(own)) throw new BoxwrightError('config', `${path}: ${name}: expected settings, found ${show(own)}.`);
    return [name, checkedCommand(path, name, own, command.options)] as const;
  });
  return Object.fromEntries(settings);
}

function checkedCommand(
  path: string,
  command: string,
  own: Record<string, unknown>,
  options: Readonly<Record<string, OptionSpec>>,
): Record<string, unknown> {
  const settings = Object.entries(own).map(([key, value]) => {
    // `valPart` is `--val-part`.
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (!option) throw unknown(path, name, `setting ${command}.${key}`, Object.keys(options));
    const problem = mismatch(option, value);
    if (problem)
      throw new BoxwrightError('config', `${path}: ${command}.${key}: expected ${problem}, found ${show(value)}.`);
    // `"minScore": 0.5`: an option that takes more than numbers is a string on the command line.
    return [name, option.type === 'string' && typeof value === 'number' ? String(value) : value] as const;
  });
  return Object.fromEntries(settings);
}

function unknown(path: string, name: string, what: string, known: readonly string[]): BoxwrightError {
  return new BoxwrightError('config', `${path}: there is no ${what}. Did you mean ${nearestName(name, known)}?`);
}

/** What was expected instead, if a value does not fit an option. */
function mismatch(
  { type, array, choices, wholeFrom }: Omit<OptionSpec, 'describe'>,
  value: unknown,
): string | undefined {
  if (array) {
    const isList = Array.isArray(value) && value.every((item) => mismatch({ type, choices }, item) === undefined);
    return isList ? undefined : `a list of ${type}s`;
  }
  if (choices) return choices.includes(value as string) ? undefined : `one of ${choices.join(', ')}`;
  if (wholeFrom !== undefined)
    return Number.isInteger(value) && Number(value) >= wholeFrom ? undefined : `a whole number from ${wholeFrom}`;
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value) ? undefined : 'a number';
  if (type === 'string' && typeof value === 'number') return Number.isFinite(value) ? undefined : 'a string';
  return typeof value === type ? undefined : `a ${type}`;
}

const show = (value: unknown) => (JSON.stringify(value) ?? String(value)).slice(0, 60);
