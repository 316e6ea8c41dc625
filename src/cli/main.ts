#!/usr/bin/env node
import { BoxwrightError } from '../errors.js';
import { version } from '../version.js';
import { nameOf, UsageError } from './command.js';
import { Interrupts } from './interrupts.js';
import { namesCommand, outlined } from './outlines.js';
import { commandOf, parseLine } from './parser.js';
import { ReaderGone, Terminal } from './terminal.js';

const failed = 1;
const wrongUsage = 2;
const interrupted = 130; // 128 + SIGINT, as shells have it
const readerGone = 141; // 128 + SIGPIPE

async function main(line: readonly string[]): Promise<number> {
  const terminal = new Terminal();
  using interrupts = new Interrupts(terminal);
  const { signal } = interrupts;
  let json = line.includes('--json');
  try {
    const commands = namesCommand(line) ? (await import('./commands.js')).commands : outlined;
    const parsed = await parseLine(line, commands);
    if (!parsed) return 0;
    terminal.quiet = parsed.quiet;
    json = parsed.args.json === true; // a settings file may say it
    const code = (await parsed.command.run(parsed.args as never, { terminal, signal })) ?? 0;
    return signal.aborted ? interrupted : code;
  } catch (error) {
    if (signal.aborted) {
      terminal.note('Interrupted.');
      if (json) terminal.errorJson('aborted', 'Interrupted.');
      return interrupted;
    }
    if (error instanceof ReaderGone) return readerGone;
    const code = report(error, line, terminal);
    if (json) terminal.errorJson(codeOf(error), error instanceof Error ? error.message : String(error));
    return code;
  }
}

/** One clear message for what was foreseen; the whole story for what was not. */
function report(error: unknown, line: readonly string[], terminal: Terminal): number {
  if (error instanceof UsageError) {
    const command = commandOf(line, outlined);
    terminal.error(`${error.message}\nSee: boxwright ${command ? `${nameOf(command)} ` : ''}--help`);
    return wrongUsage;
  }
  const known = error instanceof BoxwrightError;
  const text = error instanceof Error ? error : new Error(String(error));
  terminal.error(known ? text.message : `unexpected: ${text.message}`);
  terminal.quiet = false;
  if (line.includes('--verbose') || !known) terminal.note(terminal.onStderr('dim', stackOf(text)));
  if (!known) {
    terminal.note(
      `This should not happen. Please report it with the lines above (boxwright ${version}, Node ${process.version}, ${process.platform} ${process.arch}).`,
    );
  }
  return failed;
}

/** For programs; of schemas/error.json. */
function codeOf(error: unknown): string {
  if (error instanceof UsageError) return 'usage';
  return error instanceof BoxwrightError ? error.code : 'unexpected';
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

process.exitCode = await main(process.argv.slice(2));
