import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { csvLine } from '../../src/report/logs/csv.js';
import { escapeHtml, jsonBlock } from '../../src/report/page/html.js';
import { readRun } from '../../src/report/run/run-files.js';
import { inTemporaryFolder } from '../temporary-folder.js';
import { CraftedRun, craftedData, nastyClasses } from './crafted-run.js';

const plan = { epochs: 2, learningRate: 1e-3 };

test('a report that cannot be written is told of once, and the run goes on', () =>
  inTemporaryFolder(async (folder) => {
    const run = new CraftedRun(folder, await craftedData(`${folder}/data`, ['a']), plan);
    await run.begin();
    await run.step(1);
    assert.equal(run.reporter.takeProblem(), undefined);
    const blocked = new CraftedRun(join(folder, 'blocked'), run.dataset, plan);
    // Nothing can be renamed over a folder with something in it.
    await mkdir(join(folder, 'blocked', 'report.html', 'in the way'), { recursive: true });
    await blocked.begin();
    assert.match(blocked.reporter.takeProblem()!, /cannot write .*report\.html.*Training goes on/);
    await blocked.step(1);
    await blocked.evaluate(1, 0.1);
    assert.equal(blocked.reporter.takeProblem(), undefined, 'once');
  }));

test('the page of a run that an error ended says so, with the error as text', () =>
  inTemporaryFolder(async (folder) => {
    const run = new CraftedRun(folder, await craftedData(`${folder}/data`, ['a']), plan);
    await run.begin();
    await run.step(1);
    await run.reporter.failed(new Error('The loss is <NaN>.'));
    const page = await readFile(join(folder, 'report.html'), 'utf8');
    assert.match(page, /Failed at step 1 of 50, epoch 1/);
    assert.ok(page.includes(escapeHtml('The loss is <NaN>.')) && !page.includes('<NaN>'));
    await writeFile(join(folder, 'config.json'), '{}');
    assert.equal((await readRun(folder)).notes.failure, 'The loss is <NaN>.');
    await run.begin({ step: 1, evaluationDue: false });
    assert.equal((await readRun(folder)).notes.failure, undefined, 'it goes on');
  }));

test('a page is there from the start and is news at every evaluation', () =>
  inTemporaryFolder(async (folder) => {
    const run = new CraftedRun(folder, await craftedData(`${folder}/data`, ['a', 'b']), plan);
    const page = () => readFile(join(folder, 'report.html'), 'utf8');
    await run.begin();
    assert.match(await page(), /Running, before the first step; this page is as of/);
    for (let step = 1; step <= 3; step++) await run.step(step);
    await run.evaluate(1, 0.3);
    assert.match(await page(), /Running at step 3 of 50/);
  }));

test('between evaluations the page is written again once it is old, and not at every step', () =>
  inTemporaryFolder(async (folder) => {
    const dataset = await craftedData(`${folder}/data`, ['a']);
    for (const [every, expected] of [
      [0, /Running at step 2 of 50/],
      [60_000, /Running, before the first step/],
    ] as const) {
      const run = new CraftedRun(join(folder, `${every}`), dataset, plan, every);
      await mkdir(run.folder);
      await run.begin();
      for (let step = 1; step <= 2; step++) await run.step(step);
      assert.match(await readFile(join(run.folder, 'report.html'), 'utf8'), expected);
    }
  }));

test('data embedded in a page are the same when parsed, and end no script', () => {
  const value = { names: [...nastyClasses, '<!--<script>', '\u2028'], number: Number.NaN };
  const block = jsonBlock('x', value);
  const inside = /^<script type="application\/json" id="x">(.*)<\/script>$/s.exec(block)![1];
  assert.ok(!inside.includes('<'));
  assert.deepEqual(JSON.parse(inside), { ...value, number: null });
});

test('cells of a table are quoted as RFC 4180 says; numbers that are none are empty', () => {
  assert.equal(csvLine(['a, b', 'say "so"', 'two\nlines', 1.5, Number.NaN]), '"a, b","say ""so""","two\nlines",1.5,\n');
});
