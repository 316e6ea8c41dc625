import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/cli/command.js';
import { parseLine } from '../../src/cli/parser.js';
import { readSettings } from '../../src/cli/settings-file.js';
import { temporaryFolder } from '../temporary-folder.js';

const commands = [
  command({
    usage: 'train <place>',
    about: 'Train',
    positionals: { place: { type: 'string', demandOption: true, describe: 'Where' } },
    options: {
      data: { type: 'string', describe: 'Data' },
      epochs: { type: 'number', default: 5, describe: 'Epochs' },
      resume: { type: 'boolean', default: false, describe: 'Go on' },
      batch: { type: 'number', wholeFrom: 1, describe: 'Pictures' },
      freeze: { type: 'string', array: true, describe: 'Parts' },
      optimizer: { choices: ['adamw', 'sgd'], describe: 'How' },
      'val-part': { type: 'string', describe: 'Part' },
    },
    run: async () => 0,
  }),
];

const root = await temporaryFolder({ after });

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(root, 'project-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const own = { data: 'cells', epochs: 40, valPart: 'test', freeze: ['backbone'], optimizer: 'sgd', resume: true };

test('a wrong option behind --config is told as without it', async () => {
  const folder = folderWith({ 'own.json': '{}' });
  const line = ['--config', 'own.json', 'train', 'x', '--data', 'd', '--dta', 'y'];
  await assert.rejects(parseLine(line, commands, folder), /no option --dta\. Did you mean --data\?/);
});

async function parsed(folder: string, ...line: string[]) {
  const {
    epochs,
    data,
    'val-part': valPart,
    freeze,
    optimizer,
    resume,
  } = (await parseLine(line, commands, folder))!.args;
  return { data, epochs, valPart, freeze, optimizer, resume };
}

const forms: Readonly<Record<string, string>> = {
  'boxwright.config.json': JSON.stringify({ train: own }),
  'boxwright.config.ts': `const epochs: number = 40;\nexport default { train: ${JSON.stringify(own)} } as const;\nvoid epochs;`,
  'boxwright.config.mjs': `export default { train: ${JSON.stringify(own)} };`,
};
test('$schema stands beside the commands, for editors', async () => {
  const schema = './node_modules/boxwright/schemas/config.json';
  const folder = folderWith({ 'boxwright.config.json': JSON.stringify({ $schema: schema, train: own }) });
  assert.deepEqual(await parsed(folder, 'train', 'here'), own);
  const wrong = folderWith({ 'boxwright.config.json': '{"$schema": 7}' });
  await assert.rejects(parsed(wrong, 'train', 'here'), /\$schema: expected a string, found 7/);
});

for (const [name, text] of Object.entries(forms))
  test(`${name}: its settings hold; the command line overrules them`, async () => {
    const folder = folderWith({ [name]: text });
    assert.deepEqual(await parsed(folder, 'train', 'here'), own);
    const overruled = await parsed(folder, 'train', 'here', '--epochs', '3', '--val-part', 'val', '--no-resume');
    assert.deepEqual(overruled, { ...own, epochs: 3, valPart: 'val', resume: false });
  });

test('--config takes a file of any name instead; without a file there are no settings', async () => {
  const folder = folderWith({ 'boxwright.config.json': '{}', 'other.json': JSON.stringify({ train: own }) });
  assert.equal((await parsed(folder, 'train', 'here', '--config', 'other.json')).epochs, 40);
  assert.equal((await parsed(folder, 'train', 'here', '--config=other.json')).epochs, 40);
  assert.equal((await parsed(folder, 'train', 'here', '--data', 'd')).epochs, 5);
  assert.equal(await readSettings(folderWith({}), undefined, commands), undefined);
});

test('a number stands for the text that the command line would have', async () => {
  const folder = folderWith({ 'boxwright.config.json': '{"train": {"valPart": 0.5}}' });
  assert.equal((await parsed(folder, 'train', 'here', '--data', 'd')).valPart, '0.5');
});

test('help comes up beside settings that do not fit', async (t) => {
  const folder = folderWith({ 'boxwright.config.json': '{"trian": {}}' });
  t.mock.method(process.stdout, 'write', () => true);
  assert.equal(await parseLine(['train', '--help'], commands, folder), undefined);
  await assert.rejects(parseLine(['train', 'here', '--data', 'd'], commands, folder), { code: 'config' });
});

const wrong: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
  'no object': ['[]', /expected settings by command/],
  'a command that is not there': ['{"trian": {}}', /no command "trian"\. Did you mean train\?/],
  'a setting that is not there': ['{"train": {"epoch": 3}}', /no setting train\.epoch\. Did you mean epochs\?/],
  'a name of every object': ['{"train": {"constructor": 3}}', /no setting train\.constructor/],
  'a list for a text': ['{"train": {"valPart": [1]}}', /train\.valPart: expected a string, found \[1\]/],
  'a number as text': ['{"train": {"epochs": "3"}}', /train\.epochs: expected a number, found "3"/],
  'a number that is too small': ['{"train": {"batch": 0}}', /train\.batch: expected a whole number from 1, found 0/],
  'a choice that is none': ['{"train": {"optimizer": "adam"}}', /expected one of adamw, sgd, found "adam"/],
  'one instead of a list': ['{"train": {"freeze": "backbone"}}', /train\.freeze: expected a list of strings/],
  'a file cut in half': ['{"train": {"epo', /cannot be read/],
};
for (const [name, [text, message]] of Object.entries(wrong))
  test(`settings refused: ${name}`, async () => {
    const folder = folderWith({ 'boxwright.config.json': text });
    const path = join(folder, 'boxwright.config.json');
    await assert.rejects(readSettings(folder, undefined, commands), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'config');
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(path));
      return true;
    });
  });

test('settings refused: two files, and one that is not there', async () => {
  const folder = folderWith({ 'boxwright.config.json': '{}', 'boxwright.config.ts': 'export default {}' });
  await assert.rejects(readSettings(folder, undefined, commands), /both there: keep one/);
  await assert.rejects(readSettings(folder, 'none.json', commands), /none\.json: it cannot be read/);
});
