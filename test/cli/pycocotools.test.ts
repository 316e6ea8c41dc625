// BOXWRIGHT_PEERS_PYTHON names a Python that has pycocotools.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDataset } from '../../src/data/open.js';
import { tinyCheckpoint, tinyModelFile } from '../predict/tiny-detector.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

const python = process.env.BOXWRIGHT_PEERS_PYTHON;
const script = fileURLToPath(new URL('../../../test/cli/coco-figures.py', import.meta.url));
const options = python ? needs('data/coco-mini') : { skip: 'needs BOXWRIGHT_PEERS_PYTHON, a Python with pycocotools' };

test('eval gives the figures that pycocotools gives for the results file of detect', options, async (t) => {
  const data = shared('data/coco-mini')!;
  const truth = join(data, 'annotations/instances_val2017.json');
  const { classes } = await openDataset(truth);
  const model = await tinyModelFile(t, tinyCheckpoint('refinedet-tiny-64', classes));
  const out = join(await temporaryFolder(t), 'results.json');
  const format = ['--format', 'coco', '--out', out, '--ground-truth', truth];
  const detected = await runCli('detect', model, join(data, 'val2017'), '--min-score', '0', ...format);
  assert.equal(detected.code, 0, detected.stderr);
  const { stdout } = await promisify(execFile)(python!, [script, truth, out]);
  const evaluated = await runCli('eval', model, '--data', data, '--part', 'val', '--json');
  assert.equal(evaluated.code, 0, evaluated.stderr);
  const ours = Object.values(JSON.parse(evaluated.stdout).coco as Record<string, number>);
  const theirs = JSON.parse(stdout) as number[];
  assert.equal(ours.length, 12);
  assert.ok(theirs[0] > 0, 'there is something to compare');
  // One writes boxes with a width, the other with an edge, which can differ in the last bit.
  ours.forEach((figure, i) => {
    assert.ok(Math.abs(figure - theirs[i]) < 1e-12, `figure ${i}: ${figure} for ${theirs[i]}`);
  });
});
