import type { Card } from '../../hub/card.js';
import type { Pulled } from '../../hub/pull.js';
import { type Context, command } from '../command.js';
import { outlines } from '../outlines.js';
import { pullProgress } from '../pull-progress.js';
import { megabytes } from '../sizes.js';

export const pullCommand = command({
  ...outlines.pull,
  positionals: {
    card: { type: 'string', describe: "Name of a card, or a card's file from MindSpore Hub (.md)" },
  },
  options: {
    verify: { type: 'boolean', default: false, describe: 'Take the checksum of a file that is there already, again' },
    json: { type: 'boolean', default: false, describe: 'Print a line of JSON a card, and nothing else' },
  },
  rules: [{ options: ['verify'], needs: ['card'], because: 'the list says nothing of checksums' }],
  examples: [
    ['pull', 'which weights there are'],
    ['pull refinedet_coco2017', 'download or go on, check, and print where the file is'],
    ['detect refinedet_coco2017 photo.jpg', 'use it: what is missing is pulled'],
  ],
  async run({ card, verify, json }, context) {
    const { terminal, signal } = context;
    if (card === undefined) return list(json, context);
    const { pull } = await import('../../hub/pull.js');
    const pulled = await pull(card, { signal, verify, onProgress: pullProgress(terminal) });
    const { card: found, cached, bytes, path } = pulled;
    if (json) {
      await terminal.printJson(jsonOf(found, { cached, path, bytes }));
      return 0;
    }
    if (cached) terminal.note(`${found.name}: ${megabytes(bytes)}, there already, checksum right`);
    for (const [what, text] of facts(found)) terminal.note(`  ${what.padEnd(10)} ${text}`);
    if (!found.model) terminal.warn('boxwright has no model that this card names; its tensors can still be read.');
    await terminal.print(path);
    return 0;
  },
});

function jsonOf({ asset, classes, ...card }: Card, file: Omit<Partial<Pulled>, 'card'>) {
  return { ...card, ...asset, ...file, classes };
}

function facts({ model, trainedOn, reported, licence, repository }: Card): [string, string][] {
  const rows: [string, string | undefined][] = [
    ['model', model],
    ['trained on', trainedOn],
    ['reported', reported],
    ['licence', licence],
    ['source', repository],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

async function list(json: boolean, { terminal }: Context): Promise<number> {
  const { cards } = await import('../../hub/cards.js');
  const { isCached } = await import('../../hub/pull.js');
  for (const card of cards()) {
    if (json) await terminal.printJson(jsonOf(card, { cached: isCached(card) }));
    else {
      await terminal.print(`${terminal.style('bold', card.name)}${isCached(card) ? '  (is on this machine)' : ''}`);
      for (const [what, text] of facts(card)) await terminal.print(`  ${what.padEnd(10)} ${text}`);
    }
  }
  return 0;
}
