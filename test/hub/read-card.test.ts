import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BoxwrightError } from '../../src/errors.js';
import { cards } from '../../src/hub/cards.js';
import { parseCard, readCard } from '../../src/hub/read-card.js';
import { modelRecipe } from '../../src/models/model.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { bytes, cardFor, cardMarkdown } from './file-server.js';

const card = cardFor('https://example.org/a/file_1.ckpt', bytes(10));
const text = cardMarkdown(card);

test('the cards that are shipped fit models of ours', () => {
  for (const { name, model, classes, asset } of cards()) {
    assert.equal(
      modelRecipe(model!, classes!.length).kind,
      name.startsWith('refinedet') ? 'refinedet' : 'cascade-rcnn',
    );
    assert.equal(new Set(classes).size, 80);
    assert.match(asset.sha256, /^[0-9a-f]{64}$/);
  }
  assert.equal(new Set(cards().map(({ name }) => name)).size, 2);
});

test("the shipped cards have the hub's facts, whose own files are read as well", needs('seeds'), async () => {
  for (const shipped of cards()) {
    const read = await readCard(shared(`seeds/${shipped.name}.md`)!);
    const { name, asset, model, classes, repository } = shipped;
    const { licence: _, reported: __, trainedOn: ___, ...facts } = read;
    assert.deepEqual(facts, { name, asset, model, classes, repository });
    assert.equal(read.licence, 'Apache2.0');
    for (const figure of /28\.69|37\.3.*55\.5/.exec(read.reported!) ?? assert.fail())
      for (const number of figure.match(/\d+\.\d+/g)!) assert.ok(shipped.reported!.includes(number));
  }
});

test('classes are those of COCO, in its order', needs('data/coco-mini'), async () => {
  const { openDataset } = await import('../../src/data/open.js');
  const { classes } = await openDataset(shared('data/coco-mini')!, { part: 'val' });
  for (const { classes: own } of cards()) assert.deepEqual(own, classes);
});

test('a card of a network that is not known is read without a model', () => {
  const read = parseCard(text, 'cards/resnet_x.md');
  assert.deepEqual(read, {
    ...card,
    name: 'resnet_x',
    reported: undefined,
    licence: 'Apache2.0',
    repository: undefined,
  });
});

test('another release of a known network has its model and classes', () => {
  const [{ model, classes }] = cards();
  const read = parseCard(cardMarkdown({ ...card, trainedOn: 'coco2017' }, 'RefineDet'), 'refinedet-1.9.md');
  assert.deepEqual([read.model, read.classes, read.asset], [model, classes, card.asset]);
});

test('ways to write the same card', () => {
  const ways = [
    text.replaceAll('\n', '\r\n'),
    `\uFEFF${text}`,
    text.replace('-\n    file-format', '- file-format'),
    text.replaceAll('<', '').replaceAll('>', ''),
    text.replaceAll('<', '"').replaceAll('>', '"'),
    text.replace(card.asset.sha256, card.asset.sha256.toUpperCase()),
    text.replace('model-name: Test', 'model-name  :Test\nsome words about it\n__proto__: x'),
    text.replace(
      'asset:\n',
      'asset:\n- file-format: mindir\n  asset-link: <https://example.org/x.mindir>\n  asset-sha256: 12\n',
    ),
    text.replace('license', '- a stray dash\nlicense'),
  ];
  const expected = parseCard(text, 'x.md');
  for (const way of ways) assert.deepEqual(parseCard(way, 'x.md'), expected, way);
});

test('names of files become names of folders', () => {
  for (const [path, name] of [
    ['a/b c.md', 'b-c'],
    ['../...md', 'card'],
    ['CON/..%2f.MD', '2f'],
  ])
    assert.equal(parseCard(text, path).name, name);
});

test('what is no card is said to be none, with the line where there is one', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /between two lines of "---"/],
    ['---\nmodel-name: x\n', /between two lines of "---"/],
    ['---\n---\n', /names no asset/],
    [text.replace(/asset:.*?license/s, 'license'), /names no asset/],
    [text.replace(/model-name:.*/, ''), /lacks "model-name"/],
    [text.replace(/model-name:.*/, 'model-name:'), /line 5: "model-name" has no value/],
    [
      text.replace(/model-name:.*/, 'model-name: a\nmodel-name: b'),
      /line 6: "model-name" is given again; it is in line 5/,
    ],
    [text.replace('-\n    file-format', '    file-format'), /line 11: "file-format" stands before the first "-"/],
    [text.replace('ckpt\n', 'air\n'), /assets are air; boxwright reads ckpt/],
    [text.replace(/asset-link: .*/, ''), /lacks "asset-link"/],
    [text.replace(/asset-link: .*/, 'asset-link: <javascript:alert(1)>'), /"javascript:alert\(1\)", expected.*https/],
    [text.replace(/asset-sha256: .*/, 'asset-sha256: e616cdcb'), /8 characters/],
  ];
  for (const [broken, message] of cases) {
    assert.throws(
      () => parseCard(broken, 'card.md'),
      (error) => {
        assert.ok(error instanceof BoxwrightError && error.code === 'data', String(error));
        assert.match(error.message, /^card\.md/);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

test('any cut and any odd bytes give a card or a BoxwrightError', () => {
  const odd = ['\0', '\n', ':', '-', '---\n', '\u2028', 'asset:\n', ' '.repeat(5000), 'x'.repeat(5000)];
  for (let at = 0; at < text.length; at++) {
    const tries = [text.slice(0, at), text.slice(at), text.slice(0, at) + odd[at % odd.length] + text.slice(at)];
    for (const broken of tries) {
      try {
        parseCard(broken, 'card.md');
      } catch (error) {
        assert.ok(error instanceof BoxwrightError, `${error}`);
      }
    }
  }
});

test('files that are missing or far too large for a card', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(readCard(join(folder, 'none.md')), /cannot read the card .*none\.md: there is no such file/);
  await writeFile(join(folder, 'large.md'), Buffer.alloc((1 << 20) + 1, 'x'));
  await assert.rejects(readCard(join(folder, 'large.md')), /large\.md: not a card.*1048577 bytes/);
  await assert.rejects(readCard(folder), BoxwrightError);
});
