import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openDataset } from '../../src/data/open.js';
import { Detector } from '../../src/predict/detector.js';
import { defaultTestTime, type TestTime } from '../../src/predict/test-time.js';
import { png, tinyCheckpoint, tinyClasses, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli, startCli } from './run-cli.js';

/** A model and a folder of three pictures, one of them a level deeper. */
async function scene(t: TestContext) {
  const model = await tinyModelFile(t);
  const folder = await temporaryFolder(t);
  const pictures = join(folder, 'pictures');
  await mkdir(join(pictures, 'deeper'), { recursive: true });
  const names = ['a.png', 'b.png', join('deeper', 'c.png')];
  for (const [i, name] of names.entries()) await writeFile(join(pictures, name), await png(80 + i, 60, i));
  await writeFile(join(pictures, 'notes.txt'), 'no picture');
  return { model, folder, pictures, files: names.map((name) => join(pictures, name)) };
}

test('--json prints one line a picture, as the API finds it, and nothing else', async (t) => {
  const { model, pictures, files } = await scene(t);
  const { code, stdout } = await runCli('detect', model, pictures, '--json', '--min-score', '0.2');
  assert.equal(code, 0);
  await using detector = await Detector.load(model, { minScore: 0.2 });
  const expected = (await detector.detect(files)).map(({ detections, ...picture }) => ({
    ...picture,
    detections: detections.map(({ box, label, score }) => ({ box, label, score })),
  }));
  assert.ok(expected.some(({ detections }) => detections.length > 0));
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    expected,
  );
});

test('--tta looks several times, as the API does, and its parts can be chosen', async (t) => {
  const { files } = await scene(t);
  const model = await tinyModelFile(t, tinyCheckpoint('refinedet-tiny-192')); // at 64, all these scales are one
  const lookups: readonly (readonly [options: string[], testTime: TestTime])[] = [
    [['--tta'], defaultTestTime],
    [['--tta', '--no-tta-flip'], { scales: defaultTestTime.scales }],
    [['--tta-flip'], { flip: true }],
    [['--tta-scales', '1, 2'], { scales: [1, 2] }],
    [['--tta', '--tta-scales', '2'], { flip: true, scales: [2] }],
  ];
  const seen = new Set<string>();
  for (const [options, testTime] of lookups) {
    const { code, stdout, stderr } = await runCli('detect', model, files[0], '--json', '--min-score', '0', ...options);
    assert.equal(code, 0, stderr);
    await using detector = await Detector.load(model, { minScore: 0, testTime });
    const { detections, ...picture } = await detector.detect(files[0]);
    const rows = detections.map(({ box, label, score }) => ({ box, label, score }));
    assert.deepEqual(JSON.parse(stdout), { ...picture, detections: rows }, options.join(' '));
    seen.add(stdout);
  }
  assert.equal(seen.size, lookups.length, 'each finds something else');
});

test('scales that are none are wrong usage, those out of range say what is allowed', async (t) => {
  const { model, files } = await scene(t);
  for (const text of ['big', '1,,2', '0', '-1']) {
    const { code, stderr } = await runCli('detect', model, files[0], `--tta-scales=${text}`);
    assert.equal(code, 2, text);
    assert.match(stderr, /--tta-scales has ".*"; give numbers above 0/);
  }
  const { code, stderr } = await runCli('detect', model, files[0], '--tta-scales', '5');
  assert.equal(code, 1);
  assert.match(stderr, /scale is 5, expected a number above 0 and at most 4/);
});

test('files, folders and patterns name each picture once', async (t) => {
  const { model, pictures, files } = await scene(t);
  const sources = async (...given: string[]) => {
    const { stdout, stderr, code } = await runCli('detect', model, ...given, '--json');
    assert.equal(code, 0, stderr);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).source);
  };
  assert.deepEqual(await sources(files[1], pictures), [files[1], files[0], files[2]]);
  assert.deepEqual(await sources(join(pictures, '*.png')), files.slice(0, 2));
  assert.deepEqual(await sources(join(pictures, '**', '*')), files);
});

test('people get the numbers of each class, and every detection of a single picture', async (t) => {
  const { model, pictures, files } = await scene(t);
  const all = await runCli('detect', model, pictures, '--min-score', '0.2');
  assert.equal(all.code, 0);
  assert.deepEqual(
    all.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(': ')[0]),
    files,
  );
  assert.match(all.stderr, /objects in 3 pictures/);
  const one = await runCli('detect', model, files[0], '--min-score', '0');
  assert.match(one.stdout, /^.*a\.png \(80×60\): \d+ (cross|disc|ring)/);
  assert.match(one.stdout, /\n {2}0\.\d{3} {2}(cross|disc|ring) {2}\[/);
  assert.ok(!(one.stdout + one.stderr).includes('\u001b'), 'no colours without a terminal');
  const none = await runCli('detect', model, files[0], '--min-score', '1');
  assert.match(none.stdout, /: nothing\n$/);
});

test('a broken picture is told of, the others go on, and the exit code says so', async (t) => {
  const { model, pictures, files } = await scene(t);
  const { size } = await stat(files[1]);
  await truncate(files[1], size / 2);
  const text = join(pictures, 'text.png');
  await writeFile(text, 'this is a text');
  const out = join(pictures, '..', 'found.jsonl');
  const { code, stdout, stderr } = await runCli('detect', model, pictures, '--json', '--out', out);
  assert.equal(code, 1);
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)).map(({ source, error }) => [source, error?.code]),
    [
      [files[0], undefined],
      [files[1], 'data'],
      [files[2], undefined],
      [text, 'data'],
    ],
  );
  assert.match(stderr, /warning: .*b\.png.*cannot be decoded/);
  assert.match(stderr, /warning: .*text\.png.*cannot be decoded/);
  assert.match(stderr, /2 of 4 pictures could not be read/);
  assert.equal(await readFile(out, 'utf8'), `${lines[0]}\n${lines[2]}\n`, 'the file has the same lines');
});

test('drawings and files of every format are written, and never over something else', async (t) => {
  const { model, folder, pictures, files } = await scene(t);
  const drawn = join(folder, 'drawn');
  const voc = join(folder, 'voc');
  const first = await runCli('detect', model, pictures, '--draw', drawn, '--format', 'voc', '--out', voc, '--json');
  assert.equal(first.code, 0, first.stderr);
  const [, , last] = first.stdout.split('\n');
  assert.deepEqual(JSON.parse(last).written, { draw: { path: join(drawn, 'deeper', 'c.png') } });
  assert.deepEqual((await readdir(drawn, { recursive: true })).sort(), [
    'a.png',
    'b.png',
    'deeper',
    join('deeper', 'c.png'),
  ]);
  assert.deepEqual((await readdir(voc)).sort(), ['a.xml', 'b.xml', 'c.xml']);
  assert.notDeepEqual(await readFile(join(drawn, 'a.png')), await readFile(files[0]));
  const again = await runCli('detect', model, pictures, '--format', 'voc', '--out', voc);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /voc: the folder is not empty.*--force/);
  assert.equal((await runCli('detect', model, pictures, '--format', 'voc', '--out', voc, '--force')).code, 0);
  const redrawn = await runCli('detect', model, files[0], '--draw', drawn);
  assert.equal(redrawn.code, 1);
  assert.match(redrawn.stderr, /a\.png: exists already.*--force/);
  const before = await readFile(files[0]);
  const onto = await runCli('detect', model, pictures, '--draw', pictures, '--force');
  assert.equal(onto.code, 1);
  assert.match(onto.stderr, /would replace the picture itself/);
  await writeFile(join(folder, 'a.png'), before);
  const clash = await runCli('detect', model, files[0], join(folder, 'a.png'), '--draw', join(folder, 'clash'));
  assert.equal(clash.code, 1);
  assert.match(clash.stderr, /would both be drawn to .*a\.png/);
  assert.equal(existsSync(join(folder, 'clash')), false, 'told before anything is drawn');
  assert.deepEqual(await readFile(files[0]), before);
});

test('--format coco takes its ids from the ground truth', async (t) => {
  const { model, folder, pictures, files } = await scene(t);
  const truth = join(pictures, 'truth.json');
  const categories = tinyClasses.map((name, i) => ({ id: 10 * (3 - i), name }));
  const images = [
    { id: 7, file_name: 'a.png', width: 80, height: 60 },
    { id: 5, file_name: 'b.png', width: 81, height: 60 },
  ];
  const annotations = [{ id: 1, image_id: 7, category_id: 10, bbox: [1, 2, 30, 20], area: 600, iscrowd: 0 }];
  await writeFile(truth, JSON.stringify({ images, annotations, categories }));
  const out = join(folder, 'results.json');
  const args = ['--format', 'coco', '--out', out, '--ground-truth', truth, '--min-score', '0.2', '--json'];
  const { code, stdout, stderr } = await runCli('detect', model, files[0], files[1], ...args);
  assert.equal(code, 0, stderr);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const expected = lines.flatMap(({ detections }, i) =>
    detections.map(({ box: [x1, y1, x2, y2], label, score }: { box: number[]; label: string; score: number }) => ({
      image_id: images[i].id,
      category_id: categories.find(({ name }) => name === label)!.id,
      bbox: [x1, y1, x2 - x1, y2 - y1],
      score,
    })),
  );
  assert.ok(expected.length > 0);
  assert.deepEqual(JSON.parse(await readFile(out, 'utf8')), expected);
  const unlisted = await runCli('detect', model, files[2], ...args, '--force');
  assert.equal(unlisted.code, 1);
  assert.match(unlisted.stderr, /c\.png: the COCO ground truth lists no image of that name/);
  assert.equal(JSON.parse(await readFile(out, 'utf8')).length, expected.length, 'the file is as it was');
});

test('--format yolo writes files that the data reader’s conventions fit', async (t) => {
  const { model, folder, pictures } = await scene(t);
  const out = join(folder, 'yolo');
  assert.equal((await runCli('detect', model, pictures, '--format', 'yolo', '--out', out, '--min-score', '0')).code, 0);
  const [line] = (await readFile(join(out, 'a.txt'), 'utf8')).split('\n');
  assert.equal(line.split(' ').length, 6);
});

test('VOC files of detections can be opened as a data set', async (t) => {
  const { model, folder, files } = await scene(t);
  const args = ['--format', 'voc', '--out', join(folder, 'set', 'Annotations'), '--min-score', '0.2'];
  assert.equal((await runCli('detect', model, files[0], ...args)).code, 0);
  await mkdir(join(folder, 'set', 'JPEGImages'));
  await writeFile(join(folder, 'set', 'JPEGImages', 'a.png'), await readFile(files[0]));
  const dataset = await openDataset(join(folder, 'set'));
  assert.equal(dataset.images.length, 1);
  assert.ok(dataset.images[0].objects.length > 0);
});

test('wrong input is one clear message, exit code 1, and no stack', async (t) => {
  const { model, folder, pictures, files } = await scene(t);
  await mkdir(join(folder, 'empty'));
  await writeFile(join(folder, 'only.txt'), '');
  for (const [args, message] of [
    [[`${model}x`, files[0]], /there is no such file or folder\. Did you mean .*tiny\.safetensors\?/],
    [[model, join(pictures, 'x.png')], /x\.png: there is no such file or folder\. Did you mean .*[ab]\.png\?/],
    [[model, join(folder, 'no', 'x.png')], /there is no folder/],
    [[model, join(folder, 'holidays')], /there is no such file or folder\.\n$/],
    [[model, join(folder, 'empty')], /empty: the folder holds no picture \(\.jpg/],
    [[model, join(folder, '*.gif')], /no file fits this pattern/],
    [[model, join(folder, '*.txt')], /none of the 1 files is a picture/],
    [[files[0], files[0]], /not a file of weights that boxwright reads/],
    [[model, files[0], '--out', join(folder, 'only.txt')], /only\.txt: exists already/],
  ] as const) {
    const { code, stdout, stderr } = await runCli('detect', ...args);
    assert.equal(code, 1, `${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.match(stderr, /^error: /);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
  const { size } = await stat(model);
  await truncate(model, Math.floor(size / 2));
  const cut = await runCli('detect', model, files[0]);
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /^error: .*tiny\.safetensors/);
  assert.doesNotMatch(cut.stderr, /\n\s+at /);
  assert.match((await runCli('detect', model, files[0], '--verbose')).stderr, /\n\s+at /, '--verbose has the stack');
});

test('Ctrl-C ends it with 130 and leaves no half-written file', async (t) => {
  const { model, folder, pictures } = await scene(t);
  const source = await png(64, 64);
  for (let i = 0; i < 1500; i++) await writeFile(join(pictures, `n${i}.png`), source);
  const out = join(folder, 'found.jsonl');
  const running = startCli(['detect', model, pictures, '--json', '--out', out]);
  running.process.stdout!.once('data', () => running.process.kill('SIGINT'));
  const { code, stderr, stdout } = await running.result;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Interrupted/);
  assert.ok(stdout.split('\n').length < 1500, 'it did not run to its end');
  assert.deepEqual(await readdir(folder), ['pictures']);
});
