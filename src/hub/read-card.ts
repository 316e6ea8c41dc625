import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { BoxwrightError, systemCode } from '../errors.js';
import type { Card, CardAsset } from './card.js';
import { cards } from './cards.js';
import { requireAsset } from './require-asset.js';
import { safeName } from './safe-name.js';

/** Larger than any card by far: what is longer is another file. */
const largestCard = 1 << 20;

/** Assets whose weights boxwright reads; MindSpore Hub has compiled models beside them. */
const readable: readonly string[] = ['ckpt', 'safetensors', 'pth', 'pt', 'pkl', 'caffemodel'];

/**
 * Reads a card of MindSpore Hub from its markdown file. The card is called as the file is. A card of a network that
 * boxwright knows by another release of it gets the model and classes of that one.
 *
 * @throws BoxwrightError `io` if the file cannot be read; `data` with the line if it is no card or lacks what is needed.
 */
export async function readCard(path: string): Promise<Card> {
  try {
    const { size } = await stat(path);
    if (size > largestCard) throw notACard(path, `it has ${size} bytes, and a card has a few thousand`);
    return parseCard(await readFile(path, 'utf8'), path);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    const reason = code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new BoxwrightError('io', `cannot read the card ${path}: ${reason}`, { cause });
  }
}

/** As `readCard`, from a text; `path` is what errors call it, and what names the card. */
export function parseCard(text: string, path: string): Card {
  const { fields, assets } = parseMetadata(text, path);
  const asset = chooseAsset(assets, path);
  const modelName = require(fields, 'model-name', path);
  const trainedOn = require(fields, 'train-dataset', path);
  const twin = cards().find(
    ({ name, asset: own }) => own.sha256 === asset.sha256 || name === `${modelName}_${trainedOn}`.toLowerCase(),
  );
  return {
    name: safeName(basename(path).replace(/\.md$/i, ''), 'card'),
    ...(twin && { model: twin.model, classes: twin.classes }),
    asset,
    trainedOn,
    reported: fields.get('evaluation')?.value,
    licence: fields.get('license')?.value,
    repository: fields.get('repo-link')?.value,
  };
}

interface Field {
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

type Fields = Map<string, Field>;

/**
 * The lines between the two rules: `key: value`, and below `asset:` a list whose entries begin with a dash. Other lines
 * are somebody's prose and mean nothing here.
 */
function parseMetadata(text: string, path: string): { fields: Fields; assets: Fields[] } {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const isRule = (line: string) => /^---+\s*$/.test(line);
  const first = lines.findIndex(isRule);
  const last = lines.findIndex((line, i) => i > first && isRule(line));
  if (first < 0 || last < 0) throw notACard(path, 'its metadata should stand between two lines of "---"');
  const fields: Fields = new Map();
  const assets: Fields[] = [];
  let inAssets = false;
  for (let i = first + 1; i < last; i++) {
    const [, indent, dash, rest] = /^(\s*)(-?)\s*(.*)$/s.exec(lines[i])!;
    if (rest === '' && dash === '') continue;
    // An entry of the list is indented or begins with a dash; a key at the margin ends the list.
    if (indent === '' && dash === '') inAssets = /^asset\s*:\s*$/.test(rest);
    if (inAssets && dash !== '') assets.push(new Map());
    const [, key, value] = /^([A-Za-z][\w-]*)\s*:\s*(.*)$/.exec(rest) ?? [];
    if (key === undefined) continue;
    const target = inAssets && (indent !== '' || dash !== '') ? assets.at(-1) : fields;
    if (!target) throw bad(path, i + 1, `"${key}" stands before the first "-" of the assets`);
    const before = target.get(key);
    if (before) throw bad(path, i + 1, `"${key}" is given again; it is in line ${before.line}`);
    target.set(key, { value: plain(value), line: i + 1 });
  }
  return { fields, assets: assets.filter(({ size }) => size > 0) };
}

/** Without the brackets and quotes that links and texts may stand in. */
function plain(value: string): string {
  const trimmed = value.trim();
  return (
    /^<(.*)>$|^"(.*)"$|^'(.*)'$/
      .exec(trimmed)
      ?.slice(1)
      .find((inner) => inner !== undefined) ?? trimmed
  ).trim();
}

function chooseAsset(assets: readonly Fields[], path: string): CardAsset {
  if (assets.length === 0) throw notACard(path, 'it names no asset, so there is nothing to download');
  const formats = assets.map((asset) => require(asset, 'file-format', path).toLowerCase());
  const index = formats.findIndex((format) => readable.includes(format));
  if (index < 0) {
    throw new BoxwrightError(
      'data',
      `${path}: its assets are ${formats.join(', ')}; boxwright reads ${readable.join(', ')}.`,
    );
  }
  const chosen = {
    url: require(assets[index], 'asset-link', path),
    sha256: require(assets[index], 'asset-sha256', path).toLowerCase(),
    format: formats[index],
  };
  requireAsset(chosen, path);
  return chosen;
}

function require(fields: Fields, key: string, path: string): string {
  const found = fields.get(key);
  if (!found) throw notACard(path, `its metadata lacks "${key}"`);
  if (found.value === '') throw bad(path, found.line, `"${key}" has no value`);
  return found.value;
}

function bad(path: string, line: number, problem: string): BoxwrightError {
  return new BoxwrightError('data', `${path}, line ${line}: ${problem}.`);
}

function notACard(path: string, problem: string): BoxwrightError {
  return new BoxwrightError('data', `${path}: not a card of MindSpore Hub that can be pulled: ${problem}.`);
}
