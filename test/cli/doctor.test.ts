import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../src/cli/machine-checks.js';
import { runCli } from './run-cli.js';

test('doctor: a machine that runs these tests is ready, and every check says what it found', async () => {
  const { code, stdout, stderr } = await runCli('doctor', '--json');
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  assert.equal(ok, true);
  const of = (check: string) => findings.find((finding) => finding.check === check)!;
  assert.equal(of('Node.js').found, process.version);
  assert.match(of('Platform').found, new RegExp(process.arch));
  assert.match(of('Pictures').found, /sharp \d/);
  assert.match(of('Engine').found, /[1-9]\d* GFLOP\/s/);
  // What was only listed by ONNX Runtime is not said to work.
  assert.match(of('Providers').found, /^cpu(; built in but not tried: \w+(, \w+)*)?$/);
  for (const { state, advice } of findings) assert.equal(advice !== undefined, state !== 'fine');
});

test('doctor: for people, a line for each check and a verdict', async () => {
  const { code, stdout } = await runCli('doctor');
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.at(-1), 'Ready.');
  assert.ok(lines.filter((line) => /^[✓!] /.test(line)).length >= 8, stdout);
});
