import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { version } from '../../src/version.js';
import { plainJpeg, writeFiles } from '../data/folders.js';
import { temporaryFolder } from '../temporary-folder.js';
import { type CliResult, runCli } from './run-cli.js';

/** Exit code 2, nothing on stdout, one message without a stack. */
function assertUsageError({ code, stdout, stderr }: CliResult, message: RegExp): void {
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /\n {4}at /);
}

test('--version and --help print to stdout and succeed', async () => {
  assert.deepEqual(await runCli('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  const help = await runCli('--help');
  assert.equal(help.code, 0);
  for (const name of ['eval', 'detect', 'export', 'Exit codes']) assert.match(help.stdout, new RegExp(name));
  const detect = await runCli('detect', '--help');
  assert.equal(detect.code, 0);
  assert.match(detect.stdout, /--min-score/);
});

test('help shows what a positional is, and examples whole so that they can be copied', async () => {
  const { stdout } = await runCli('train', '--help');
  assert.match(stdout, /^ {4}boxwright train --data cells\/ --weights resnet18\.safetensors --epochs 30$/m);
  assert.match((await runCli('help', 'detect')).stdout, /source +Run folder, checkpoint/);
});

test('help is quick: nothing heavy is loaded for it', async () => {
  const { code, stderr } = await runCli('--help');
  assert.equal(code, 0, stderr);
  const { spawnSync } = await import('node:child_process');
  const { fileURLToPath } = await import('node:url');
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const script = `process.argv = [process.argv[0], ${JSON.stringify(main)}, '--help'];
    await import(${JSON.stringify(main)});
    const { default: module } = await import('node:module');
    console.error(Object.keys(module._cache).filter((path) => /sharp|onnxruntime/.test(path)).join());`;
  const loaded = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(loaded.stderr.trim(), '', 'sharp and onnxruntime-node were loaded');
});

test('wrong usage says where the command that was meant is explained', async () => {
  assertUsageError(await runCli('train', '--epoch', '3'), /^See: boxwright train --help$/m);
  assertUsageError(await runCli('trian'), /Known: demo, .*, completion\.\nSee: boxwright --help$/m);
});

test('unknown commands and options name the nearest one', async () => {
  assertUsageError(await runCli('detct', 'model'), /no command "detct"\. Did you mean "detect"\?/);
  assertUsageError(
    await runCli('detect', 'm', 'p', '--min-scor', '0.5'),
    /no option --min-scor\. Did you mean --min-score\?/,
  );
  assertUsageError(await runCli('eval', 'm', '--dat=x'), /no option --dat\. Did you mean --data\?/);
  assertUsageError(await runCli('export', 'm', 'n.onnx', 'third'), /"third" is one argument too many/);
});

test('what is missing or makes no sense is a usage error', async () => {
  assertUsageError(await runCli(), /Which command\?/);
  assertUsageError(await runCli('detect', 'model'), /boxwright detect <source> <pictures\.\.>/);
  assertUsageError(await runCli('eval', 'model'), /data/);
  assertUsageError(await runCli('detect', 'm', 'p', '--min-score', 'high'), /--min-score is high; give a number/);
  assertUsageError(await runCli('detect', 'm', 'p', '--min-score', '30'), /--min-score is 30/);
  assertUsageError(await runCli('detect', 'm', 'p', '--min-score'), /--min-score needs a value/);
  assertUsageError(await runCli('detect', 'm', 'p', '--out', '--json'), /--out needs a value/);
  assertUsageError(await runCli('train', '--data', 'd', '--epochs', 'many'), /--epochs is "many"; give a number/);
  assertUsageError(await runCli('detect', 'm', 'p', '--out', 'a', '--out', 'b'), /--out is given twice/);
  assertUsageError(
    await runCli('detect', 'm', 'p', '--provider', 'gpu'),
    /--provider is "gpu"; give one of cpu, webgpu/,
  );
  assertUsageError(await runCli('detect', 'm', 'p', '--format', 'voc'), /--format needs --out/);
  assertUsageError(await runCli('detect', 'm', 'p', '--format', 'coco', '--out', 'x'), /--ground-truth/);
  assertUsageError(
    await runCli('eval', 'm', '--data', 'd', '--batch', '0'),
    /--batch is 0; give a whole number from 1/,
  );
  assertUsageError(
    await runCli('detect', 'm', 'p', '--threads', '1.5'),
    /--threads is 1.5; give a whole number from 0/,
  );
  assertUsageError(await runCli('data', 'd', '--to', 'voc'), /--to needs --fix/);
  assertUsageError(await runCli('data', 'd', '--sheet', 's', '--limit', '-1'), /--limit is -1/);
  assertUsageError(await runCli('data', 'd', '--sheet', 's', '--preview', 's'), /--sheet and --preview are both s/);
});

test('a file that has no folder to go to is told before the work', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, { 'a.jpg': await plainJpeg() });
  const out = join(root, 'nowhere', 'x');
  for (const line of [
    ['detect', 'no-model', join(root, 'a.jpg'), '--out', out],
    ['convert', 'no-model', `${out}.safetensors`],
    ['compare', 'run-a', 'run-b', '--out', out],
  ]) {
    const { code, stderr } = await runCli(...line);
    assert.equal(code, 1);
    assert.match(stderr, /there is no folder .*nowhere; create it first/, line[0]);
  }
});
