// The JSON Schemas of what programs read, which are shipped in schemas/, and the check that something fits one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export const schemaFolder = fileURLToPath(new URL('../../schemas/', import.meta.url));

/** Their names, such as `detect`. */
export const schemaNames: readonly string[] = readdirSync(schemaFolder).map((file) => file.replace(/\.json$/, ''));

export function schemaOf(name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(`${schemaFolder}${name}.json`, 'utf8'));
}

// Strict: a keyword that is misspelt, or that its place does not have, is an error.
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allowMatchingProperties: true });
ajv.addMetaSchema(createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-07.json')); // of config.json
// They name each other by their files.
for (const name of schemaNames) ajv.addSchema(schemaOf(name), `${name}.json`);

/** Keywords and references of a schema are right. */
export function requireSchema(name: string): ValidateFunction {
  const validate = ajv.getSchema(`${name}.json`);
  assert.ok(validate, `there is no schemas/${name}.json`);
  return validate;
}

/** @param what for the message, such as the command line that printed it */
export function requireFit(name: string, value: unknown, what: string): void {
  const validate = requireSchema(name);
  if (validate(value)) return;
  const errors = validate.errors!;
  // Of several kinds, what is wrong with the others does not matter.
  const own = errors.filter(({ schemaPath }) => schemaPath.includes(`/${(value as { kind?: unknown } | null)?.kind}/`));
  const problems = (own.length > 0 ? own : errors).slice(0, 12).map(({ instancePath, message, params }) => {
    return `  ${instancePath || 'the whole'} ${message} ${JSON.stringify(params)}`;
  });
  const shown = JSON.stringify(value);
  assert.fail(`${what}: does not fit schemas/${name}.json\n${problems.join('\n')}\n  ${shown.slice(0, 2000)}`);
}

/** JSON in lines, each of which ends. */
export function linesOf(text: string, what: string): unknown[] {
  if (text === '') return [];
  assert.ok(text.endsWith('\n'), `${what}: the last line has an end`);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => jsonOf(line, what));
}

function jsonOf(line: string, what: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return assert.fail(`${what}: a line is no JSON: ${line.slice(0, 500)}`);
  }
}

/** Looks at a run's config.json, events.jsonl and report.json. */
export function requireRunFits(folder: string): void {
  const text = (file: string) => readFileSync(join(folder, file), 'utf8');
  requireFit('run-config', JSON.parse(text('config.json')), join(folder, 'config.json'));
  for (const event of linesOf(text('events.jsonl'), folder)) requireFit('event', event, join(folder, 'events.jsonl'));
  requireFit('run-report', JSON.parse(text('report.json')), join(folder, 'report.json'));
}
