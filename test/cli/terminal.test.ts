import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { Terminal } from '../../src/cli/terminal.js';
import { plainJpeg, writeFiles } from '../data/folders.js';
import { tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { mainFile, runCli, startCli } from './run-cli.js';

const nasty = '\u001b]0;title\u0007cat\u009b2J\u202egnp';
const shownNasty = '\\u001b]0;title\\u0007cat\\u009b2J\\u202egnp';

/** A COCO data set of one picture whose class has a name that steers terminals. */
async function nastySet(t: TestContext): Promise<string> {
  const root = await temporaryFolder(t);
  const annotations = {
    images: [{ id: 1, file_name: 'a.jpg', width: 40, height: 30 }],
    categories: [{ id: 1, name: nasty }],
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [2, 2, 20, 20], area: 400, iscrowd: 0 }],
  };
  await writeFiles(root, { 'a.jpg': await plainJpeg(), 'annotations.json': JSON.stringify(annotations) });
  return root;
}

/** The exit code of a command whose output nobody reads. */
async function codeUnread(args: readonly string[], streams: readonly ('stdout' | 'stderr')[]): Promise<number | null> {
  const { process: child, result } = startCli(args);
  for (const stream of streams) child[stream]!.destroy();
  return (await result).code;
}

test('a command whose output nobody reads any more finishes its files', async (t) => {
  const root = await nastySet(t);
  for (const streams of [['stdout'], ['stdout', 'stderr']] as const) {
    const name = `${root}/${streams.join('-')}`;
    const files = ['--sheet', `${name}.html`, '--fix', `${name}-fixed`];
    assert.equal(await codeUnread(['data', `${root}/annotations.json`, ...files], streams), 0);
    assert.ok(existsSync(`${name}.html`), streams.join());
    assert.ok(existsSync(`${name}-fixed`), streams.join());
  }
});

test('detect without a reader finishes its file; with nothing but output left it ends as by SIGPIPE', async (t) => {
  const root = await temporaryFolder(t);
  const picture = await plainJpeg();
  await writeFiles(root, { 'in/a.jpg': picture, 'in/b.jpg': picture, 'in/c.jpg': picture });
  const model = await tinyModelFile(t);
  assert.equal(await codeUnread(['detect', model, `${root}/in`], ['stdout']), 141);
  assert.equal(await codeUnread(['detect', model, `${root}/in`, '--out', `${root}/out.jsonl`], ['stdout']), 0);
  const lines = (await readFile(`${root}/out.jsonl`, 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, 3);
});

test('results that do not fit on the disk are an error', { skip: !existsSync('/dev/full') }, async () => {
  const child = spawn(process.execPath, [mainFile, 'pull', '--json'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 1);
  assert.match(said, /^error: cannot write stdout: the disk is full.* \(ENOSPC\)\n/);
});

test('names that would steer a terminal are shown as escapes to people, and as they are to programs', async (t) => {
  const root = await nastySet(t);
  const shown = await runCli('data', `${root}/annotations.json`);
  assert.ok(shown.stdout.includes(shownNasty), shown.stdout);
  assert.doesNotMatch(shown.stdout, /(?!\n)[\p{Cc}\u202e]/u);
  const json = await runCli('data', `${root}/annotations.json`, '--json');
  assert.equal(JSON.parse(json.stdout).perClass[0].name, nasty);
  const wrong = await runCli('data', `${root}/${nasty}`);
  assert.ok(wrong.stderr.includes(shownNasty), wrong.stderr);
  assert.doesNotMatch(wrong.stderr, /(?!\n)[\p{Cc}\u202e]/u);
});

test("on a terminal the only escape sequences are the styles' own", async (t) => {
  const written: string[] = [];
  const isTTY = process.stdout.isTTY;
  const colours = ['NO_COLOR', 'TERM'].map((name) => [name, process.env[name]] as const);
  const terminal = new Terminal();
  try {
    process.stdout.isTTY = true;
    delete process.env.NO_COLOR;
    process.env.TERM = 'xterm';
    t.mock.method(process.stdout, 'write', (text: string, done: () => void) => {
      written.push(text);
      done();
      return true;
    });
    await terminal.print(`${terminal.style('bold', 'a\u001b[1m')}b\nc`);
  } finally {
    t.mock.restoreAll();
    process.stdout.isTTY = isTTY;
    for (const [name, value] of colours) if (value !== undefined) process.env[name] = value;
  }
  assert.deepEqual(written, ['\u001b[1ma\\u001b[1m\u001b[22mb\\u000ac\n']);
});

test('progress has a bar where its share is known, fits the line, and is kept back where quiet or unwatched', (t) => {
  const written: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => written.push(text) > 0);
  const { isTTY, columns } = process.stderr;
  t.after(() => Object.assign(process.stderr, { isTTY, columns }));
  const terminal = new Terminal();
  Object.assign(process.stderr, { isTTY: false, columns: 40 });
  terminal.progress('unwatched', 0.5);
  process.stderr.isTTY = true;
  terminal.progress('half', 0.5);
  terminal.progress('no share');
  terminal.progress('x'.repeat(100), 2);
  terminal.quiet = true;
  terminal.progress('quiet', 0.5);
  terminal.note('quiet');
  assert.deepEqual(
    written.map((text) => text.replace('\r\u001b[K', '')),
    ['████████░░░░░░░░ half', 'no share', `████████████████ ${'x'.repeat(22)}`],
  );
});
