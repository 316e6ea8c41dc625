// schemas/config.json, by which editors complete boxwright.config.json: written by npm run generate:schemas.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from '../../src/cli/command.js';
import { commands } from '../../src/cli/commands.js';
import { documents, snippetsOf } from '../docs/documents.js';
import { requireFit, schemaOf } from '../schemas.js';

/** This file runs as build/test/cli/settings-schema.test.js. */
const script = new URL('../../../scripts/settings-schema.mjs', import.meta.url).href;

test('schemas/config.json has the options of today', async () => {
  const { settingsSchema } = (await import(script)) as { settingsSchema(all: typeof commands): unknown };
  assert.deepEqual(
    schemaOf('config'),
    JSON.parse(JSON.stringify(settingsSchema(commands))),
    'npm run generate:schemas',
  );
});

test('it takes what the command line takes: names in both forms, numbers for texts, and no others', () => {
  const settings = {
    $schema: './node_modules/boxwright/schemas/config.json',
    train: { data: 'cells', epochs: 40, valPart: 'val', 'evaluate-every': 2, freeze: ['backbone'], optimizer: 'sgd' },
    detect: { minScore: 0.5, tta: true },
  };
  requireFit('config', settings, 'settings');
  for (const wrong of [
    { trian: {} },
    { train: { epoch: 40 } },
    { train: { epochs: '40' } },
    { detect: { batch: 0.5 } },
    { train: { optimizer: 'x' } },
  ])
    assert.throws(() => requireFit('config', wrong, 'settings'), /does not fit schemas\/config\.json/);
});

test('the settings files that the documents show fit it', () => {
  const isSettings = (text: string) => commands.some((own) => text.includes(`"${nameOf(own)}": {`));
  const shown = documents.flatMap(snippetsOf).filter(({ language, text }) => language === 'json' && isSettings(text));
  assert.ok(shown.length > 0, 'there are some');
  for (const { file, line, text } of shown) requireFit('config', JSON.parse(text), `${file}:${line}`);
});
