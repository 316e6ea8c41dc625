import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../temporary-folder.js';
import { mainFile, runCli } from './run-cli.js';

test('scripts for shells, and what they ask for', async () => {
  for (const shell of ['zsh', 'fish', 'powershell'])
    assert.match((await runCli('completion', shell)).stdout, /boxwright.* complete/, shell);
  assert.match((await runCli('complete', '--', 'ev')).stdout, /^eval\t/m);
  assert.match((await runCli('complete', '--', 'train', '--epo')).stdout, /^--epochs\t/m);
  assert.match((await runCli('complete', '--', 'train', '--optimizer', '')).stdout, /^adamw\b[\s\S]*^sgd\b/m);
  const unknown = await runCli('completion', 'tcsh');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /tcsh/);
});

const lacksBash = spawnSync('bash', ['-c', 'true']).status === 0 ? false : 'there is no bash';

test('bash completes commands, options, choices and files, without the package bash-completion', {
  skip: lacksBash,
}, async (t) => {
  const folder = await temporaryFolder(t);
  const completed = await bashWithCompletion(folder);
  assert.deepEqual(completed('boxwright', 'ev'), ['eval']);
  assert.deepEqual(completed('boxwright', 'train', '--epo'), ['--epochs']);
  assert.deepEqual(completed('boxwright', 'train', '--optimizer', ''), ['adamw', 'sgd']);
  // bash makes three words of --schedule=c, and puts what is found behind the sign.
  assert.deepEqual(completed('boxwright', 'train', '--schedule', '=', 'c'), ['cosine', 'constant']);
  assert.deepEqual(completed('boxwright', 'train', '--schedule', '='), ['cosine', 'step', 'constant']);
  // Nothing of ours: bash goes on to the files in the folder.
  assert.deepEqual(completed('boxwright', 'detect', 'cel'), []);
  // What is being typed is not run.
  assert.deepEqual(completed('boxwright', 'detect', '$(touch ran)', 'cel'), []);
  assert.deepEqual((await readdir(folder)).toSorted(), ['.bashrc', 'boxwright']);
});

/** What bash has for the last word of a line, with our script read twice, as by a ~/.bashrc that is read again. */
async function bashWithCompletion(folder: string): Promise<(...words: string[]) => string[]> {
  await writeFile(join(folder, 'boxwright'), `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`);
  await chmod(join(folder, 'boxwright'), 0o755);
  const { stdout } = await runCli('completion', 'bash');
  await writeFile(join(folder, '.bashrc'), stdout + stdout);
  return (...words) => {
    const script = `. ./.bashrc; complete -p boxwright | grep -q -- '-o default' || exit
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); __boxwright_complete boxwright; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    return stdout.split('\n').filter((line) => line !== '');
  };
}
