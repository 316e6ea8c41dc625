// The schemas of what --json prints. That it fits them is looked at wherever a test runs a command: run-cli.ts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { engineOptions, nameOf } from '../../src/cli/command.js';
import { commands } from '../../src/cli/commands.js';
import { datasetFormats } from '../../src/data/dataset.js';
import { writtenFormats } from '../../src/data/writing/written-formats.js';
import { root } from '../docs/documents.js';
import { requireFit, requireSchema, schemaNames, schemaOf } from '../schemas.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

type Schema = Readonly<Record<string, unknown>>;

test('every command has --json, and a schema of what it prints', () => {
  for (const command of commands) {
    const { type, default: preset } = command.options.json ?? {};
    assert.deepEqual([type, preset], ['boolean', false], nameOf(command));
    assert.equal(schemaOf(nameOf(command)).title, `boxwright ${nameOf(command)} --json`);
  }
});

/** All schemas within one, with their places. */
function* within(schema: unknown, place: string): Generator<[place: string, schema: Schema]> {
  if (typeof schema !== 'object' || schema === null) return;
  if (!Array.isArray(schema)) yield [place, schema as Schema];
  for (const [key, value] of Object.entries(schema)) yield* within(value, `${place}/${key}`);
}

function followed(name: string, ref: string): Schema {
  const [file, pointer] = ref.split('#/$defs/');
  const found = (schemaOf(file.replace('.json', '') || name).$defs as Readonly<Record<string, Schema>>)[pointer];
  assert.ok(found, `${name}: there is no ${ref}`);
  return found;
}

for (const name of schemaNames)
  test(`schemas/${name}.json says what everything is, and leaves nothing open`, () => {
    for (const [place, schema] of within(schemaOf(name), name)) {
      if (schema.type === 'object') assert.notEqual(schema.additionalProperties ?? true, true, `${place} is open`);
      if (!place.endsWith('/properties')) continue;
      for (const [key, property] of Object.entries(schema as Readonly<Record<string, Schema>>)) {
        const { const: only, description, $ref } = property;
        const told = description ?? ($ref === undefined ? undefined : followed(name, `${$ref}`).description);
        assert.ok(only !== undefined || told !== undefined, `${place}/${key} has no description`);
      }
    }
  });

test('what does not fit is told of', () => {
  requireFit('report', { run: 'runs/cells', path: 'runs/cells/report.html' }, 'a document');
  for (const other of [{ run: 'runs/cells' }, { run: 'runs/cells', path: 1 }, { run: 'a', path: 'b', more: 'c' }])
    assert.throws(() => requireFit('report', other, 'a document'), /a document: does not fit schemas\/report\.json/);
});

test('every schema is one', () => {
  for (const name of schemaNames) requireSchema(name);
});

test('an error is the last line on stderr with --json, wherever that was said', async (t) => {
  const last = (text: string) => JSON.parse(text.trimEnd().split('\n').at(-1)!).error;
  const missing = await runCli('info', 'nowhere', '--json');
  assert.deepEqual([missing.code, missing.stdout], [1, '']);
  assert.equal(last(missing.stderr).code, 'io');
  assert.equal(missing.stderr.split('\n')[0], `error: ${last(missing.stderr).message}`);
  const wrong = await runCli('eval', '--json', '--detctions', 'x');
  assert.deepEqual([wrong.code, wrong.stdout, last(wrong.stderr).code], [2, '', 'usage']);
  const config = join(await temporaryFolder(t), 'own.json');
  await writeFile(config, '{ "info": { "json": true } }');
  const bySettings = await runCli('--config', config, 'info', 'nowhere');
  assert.equal(last(bySettings.stderr).code, 'io');
  const inWords = await runCli('--config', config, 'info', 'nowhere', '--no-json');
  assert.ok(!inWords.stderr.includes('{'), inWords.stderr);
});

test('formats, error codes and providers in the schemas are those of today', () => {
  const shared = schemaOf('common').$defs as Readonly<Record<string, { readonly enum: unknown }>>;
  assert.deepEqual(shared.datasetFormat.enum, datasetFormats);
  assert.deepEqual(shared.writtenFormat.enum, writtenFormats);
  const [union] = /type ErrorCode =[^;]*;/.exec(readFileSync(join(root, 'src/errors.ts'), 'utf8'))!;
  const codes = Array.from(union.matchAll(/'(\w+)'/g), ([, code]) => code);
  assert.deepEqual(shared.errorCode.enum, [...codes, 'usage', 'unexpected']);
  const { provider } = schemaOf('run-config').properties as Readonly<Record<string, { readonly enum: unknown }>>;
  assert.deepEqual(provider.enum, engineOptions.provider.choices);
});
