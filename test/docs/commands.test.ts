// Every command line of the documents is one that boxwright takes: commands, options and their values.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { commands } from '../../src/cli/commands.js';
import { parseLine } from '../../src/cli/parser.js';
import { readSettings } from '../../src/cli/settings-file.js';
import { temporaryFolder } from '../temporary-folder.js';
import { documents, root, snippetsOf, textOf } from './documents.js';
import { commandLines, ownCommand } from './executed/command-lines.js';

const inText = /`(?:npx )?boxwright ([a-z]+ [^`]*|[a-z]+)`/g;
const folder = await temporaryFolder({ after });

for (const file of documents)
  test(`${file}: its command lines are understood`, async () => {
    const snippets = snippetsOf(file).filter(({ language }) => language === 'sh');
    for (const snippet of snippets)
      for (const each of commandLines(snippet)) {
        const words = ownCommand(each.text)?.words;
        if (words) await assert.doesNotReject(parseLine(words, commands, folder), `${file}:${each.line}: ${each.text}`);
      }
    for (const [, words] of textOf(file).matchAll(inText)) {
      const [name] = words.split(' ');
      const known = [...commands.map(({ usage }) => usage.split(' ')[0]), 'completion'];
      assert.ok(known.includes(name), `${file}: there is no boxwright ${name}`);
      for (const [, option] of words.matchAll(/--([a-z-]+)/g)) {
        const command = commands.find(({ usage }) => usage.split(' ')[0] === name);
        assert.ok(command && Object.hasOwn(command.options, option), `${file}: boxwright ${name} has no --${option}`);
      }
    }
  });

test('the settings files of the documents are taken', async () => {
  const isSettings = (text: string) => commands.some(({ usage }) => text.includes(`"${usage.split(' ')[0]}": {`));
  const shown = documents.flatMap(snippetsOf).filter(({ language, text }) => language === 'json' && isSettings(text));
  assert.ok(shown.length > 0, 'there are some');
  for (const { file, line, text } of shown) {
    const path = join(folder, 'shown.json');
    writeFileSync(path, text);
    await assert.doesNotReject(readSettings(folder, path, commands), `${file}:${line}`);
  }
});

test('links between the documents lead somewhere', () => {
  for (const file of documents)
    for (const [, target] of textOf(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g))
      assert.ok(existsSync(join(root, dirname(file), target)), `${file}: there is no ${target}`);
});

test('docs/commands.md lists every command', () => {
  const listed = [...textOf('docs/commands.md').matchAll(/^\| `([a-z]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(listed.toSorted(), [...commands.map(({ usage }) => usage.split(' ')[0]), 'completion'].toSorted());
});

test('every document has a place in the site', async () => {
  const { pages } = (await import(pathToFileURL(join(root, 'site/sidebar.mjs')).href)) as { pages: string[] };
  const unlisted = documents
    .filter((file) => file.startsWith('docs/'))
    .filter((file) => !pages.includes(file.replace(/^docs\/|\.md$/g, '')));
  assert.deepEqual(unlisted, [], 'name them in site/sidebar.mjs');
});
