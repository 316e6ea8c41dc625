import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Comparison } from '../../src/report/index.js';
import { craftRun, nastyClasses, stepsPerEpoch } from '../report/crafted-run.js';
import { inTemporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

/** A page without what changes from one writing to the next. */
const still = (page: string) => page.replace(/as of <time[^<]*/, '');

test('report writes a run’s page again from its folder, pictures included', () =>
  inTemporaryFolder(async (folder) => {
    const run = join(folder, 'run');
    await craftRun(run);
    const path = join(run, 'report.html');
    const before = await readFile(path, 'utf8');
    await rm(path);
    // A run that broke off: its last line is cut.
    await appendFile(join(run, 'events.jsonl'), '{"kind":"st');
    const { code, stdout, stderr } = await runCli('report', run, '--json');
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { run, path });
    assert.equal(still(await readFile(path, 'utf8')), still(before));
    assert.match(before, /src="data:image\/jpeg;base64,/);

    const events = (await readFile(join(run, 'events.jsonl'), 'utf8'))
      .split('\n')
      .filter((line) => !line.includes('"end"'));
    await writeFile(join(run, 'events.jsonl'), events.join('\n'));
    await utimes(join(run, 'events.jsonl'), new Date(), new Date('2020-02-02T20:20:02Z'));
    assert.equal((await runCli('report', run)).code, 0);
    const brokeOff = /Running at step 100 of 100, epoch 4; this page is as of <time[^>]*>2020-02-02 20:20 UTC/;
    assert.match(await readFile(path, 'utf8'), brokeOff);

    await rm(`${run}-data`, { recursive: true });
    assert.equal((await runCli('report', run)).code, 0);
    const without = await readFile(path, 'utf8');
    assert.ok(!without.includes('data:image/jpeg') && without.includes('The picture is no longer where it was.'));

    await rm(join(run, 'report.json'));
    assert.equal((await runCli('report', run)).code, 0, 'a run of a version without reports');
    assert.match(await readFile(path, 'utf8'), /Precision on the validation part/);
  }));

test('compare tells settings that differ, figures and classes, as text, JSON and a page', () =>
  inTemporaryFolder(async (folder) => {
    const [first, second, page] = ['first', 'second', 'compare.html'].map((name) => join(folder, name));
    await craftRun(first);
    await craftRun(second, { learningRate: 5e-4, error: 0.6, epochs: 3 });
    const { code, stdout, stderr } = await runCli('compare', first, second, '--json', '--out', page);
    assert.equal(code, 0, stderr);
    const { written, ...comparison } = JSON.parse(stdout) as Comparison & { readonly written: unknown };
    assert.deepEqual(written, { out: { path: page } });
    assert.deepEqual(comparison.settings, [
      { name: 'epochs', values: ['4', '3'] },
      { name: 'learningRate', values: ['0.001', '0.0005'] },
    ]);
    assert.deepEqual(
      comparison.runs.map(({ name, steps }) => [name, steps]),
      [
        ['first', 4 * stepsPerEpoch],
        ['second', 3 * stepsPerEpoch],
      ],
    );
    const ap = comparison.metrics.find(({ name }) => name === 'AP')!;
    assert.equal(ap.difference, ap.values[1]! - ap.values[0]!);
    const small = comparison.metrics.find(({ name }) => name === 'APs')!;
    assert.deepEqual(small, { name: 'APs', values: [null, null], difference: null }, 'there are no small objects');
    assert.deepEqual(
      comparison.perClass.map(({ name }) => name),
      nastyClasses,
    );
    const html = await readFile(page, 'utf8');
    for (const title of ['Settings that differ', 'AP50', 'Loss: arm_cls']) assert.ok(html.includes(title), title);

    const told = await runCli('compare', first, second);
    assert.match(told.stdout, /^learningRate +0\.001 +0\.0005$/m);
    assert.match(told.stdout, /^AP +[\d.]+ +[\d.]+ +[+−]?[\d.]+$/m);
    const again = await runCli('compare', first, second, '--out', page);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /exists already/);
    assert.equal((await runCli('compare', first, second, '--out', page, '--force')).code, 0);
  }));

test('what is no run is told of', () =>
  inTemporaryFolder(async (folder) => {
    const none = await runCli('report', folder);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /There is no run in .*: it has no config\.json/);
    assert.equal(existsSync(join(folder, 'report.html')), false);
    const run = join(folder, 'run');
    await mkdir(run);
    await writeFile(join(run, 'config.json'), '{"model": ');
    const broken = await runCli('report', run);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /config\.json cannot be read/);
    await writeFile(join(run, 'config.json'), '{"model":"refinedet-tiny-64"}');
    assert.equal((await runCli('report', run)).code, 0, 'a run that has only begun');
    const twice = await runCli('compare', run, run);
    assert.equal(twice.code, 2);
    assert.match(twice.stderr, /given twice/);
  }));
