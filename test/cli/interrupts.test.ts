import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

/** A process that takes its time after the first signal, and hears none while it does. */
const script = `
  const { Interrupts } = await import(${JSON.stringify(new URL('../../src/cli/interrupts.js', import.meta.url).href)});
  const { Terminal } = await import(${JSON.stringify(new URL('../../src/cli/terminal.js', import.meta.url).href)});
  const interrupts = new Interrupts(new Terminal());
  interrupts.signal.addEventListener('abort', () => console.log('stopping'));
  console.log('ready');
  setTimeout(() => {}, 60_000);
`;

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`the first ${signal} asks, says after a while what the second does, and the second ends at once`, {
    skip: process.platform === 'win32' && 'signals',
  }, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const heard = (stream: NodeJS.ReadableStream, word: string) =>
      new Promise<void>((resolve) => {
        stream.setEncoding('utf8').on('data', (text: string) => text.includes(word) && resolve());
      });
    const ended = new Promise((resolve) => child.on('close', (code, by) => resolve([code, by])));
    await heard(child.stdout, 'ready');
    child.kill(signal);
    await heard(child.stdout, 'stopping');
    child.kill(signal); // passed on once more by npm or timeout: the same one
    await heard(child.stderr, 'Ctrl-C again ends at once');
    child.kill(signal);
    assert.deepEqual(await ended, [null, signal]);
  });
