// npm run generate:schemas: writes schemas/config.json, by which editors complete boxwright.config.json, from the options
// that the commands have. The other schemas are written by hand.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** The schema of a settings file, from the commands of src/cli/commands.ts. */
export function settingsSchema(commands) {
  const properties = commands.map((command) => [command.usage.split(' ')[0], ofCommand(command)]);
  return {
    // The version that editors know best.
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'boxwright.config.json',
    description:
      'Settings of a project, by command. The command line overrules them. Written by npm run generate:schemas.',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', description: 'This schema, for editors.' },
      ...Object.fromEntries(properties),
    },
  };
}

function ofCommand({ about, options }) {
  const names = Object.keys(options);
  const properties = names.map((name) => [camelCase(name), ofOption(options[name])]);
  // --val-part is valPart, and may stand there as on the command line.
  const others = names.filter((name) => name.includes('-')).map((name) => [`^${name}$`, ofOption(options[name])]);
  return {
    description: `${about}.`,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
    ...(others.length > 0 ? { patternProperties: Object.fromEntries(others) } : {}),
  };
}

function ofOption({ describe, array, default: preset, ...single }) {
  const value = ofValue(single);
  const type = array ? { type: 'array', items: value } : value;
  return { description: `${describe}.`, ...type, ...(preset === undefined ? {} : { default: preset }) };
}

function ofValue({ type, choices, wholeFrom }) {
  if (choices) return { enum: [...choices] };
  if (wholeFrom !== undefined) return { type: 'integer', minimum: wholeFrom };
  // Some options take more than numbers; a number needs no quotes.
  return { type: type === 'string' ? ['string', 'number'] : type };
}

const camelCase = (name) => name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { commands } = await import('../dist/cli/commands.js');
  const path = new URL('../schemas/config.json', import.meta.url);
  writeFileSync(path, `${JSON.stringify(settingsSchema(commands), null, 2)}\n`);
}
