import assert from 'node:assert/strict';
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { linesOf, requireFit, requireRunFits } from '../schemas.js';

export const mainFile = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly process: ChildProcess;
  readonly result: Promise<CliResult>;
}

/** Starts `boxwright …` as a process of its own, without a terminal. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  return collect(args, spawn(process.execPath, [mainFile, ...args], { env: { ...process.env, ...env } }));
}

function collect(args: readonly string[], child: ChildProcessWithoutNullStreams): RunningCli {
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const closed = new Promise<CliResult>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { process: child, result: closed.then((result) => requireSchema(args, result)) };
}

/** Commands that print a line for each thing, with --json. The others print one document. */
export const lineCommands: readonly string[] = ['demo', 'train', 'detect', 'pull'];

/** What is printed with --json is what the command's schema says: all tests of the command line are tests of the schemas. */
export function requireSchema(args: readonly string[], result: CliResult): CliResult {
  const { code, stdout } = result;
  if (!args.includes('--json') || code === null) return result; // killed, perhaps within a line
  requireError(args, result);
  const [command] = args;
  const what = `boxwright ${args.join(' ')}`;
  const lines = linesOf(stdout, what);
  for (const line of lines) requireFit(command, line, what);
  // A command that fails has nothing to say; of doctor's and detect's, finding something wrong is the result.
  if (!lineCommands.includes(command)) assert.ok(lines.length === 1 || (lines.length === 0 && code !== 0), what);
  const end = lines.at(-1) as { readonly kind?: string; readonly run?: string } | undefined;
  if (end?.kind === 'end' && end.run !== undefined) requireRunFits(end.run);
  return result;
}

/** Runs `boxwright …` where no file may grow beyond so many KiB: writes fail half-way as on a full disk. Needs bash. */
export async function runCliWithFullDisk(kibibytes: number, ...args: string[]): Promise<CliResult> {
  return startCliWithFullDisk(kibibytes, args).result;
}

export function startCliWithFullDisk(
  kibibytes: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningCli {
  const script = `ulimit -f ${kibibytes} && exec "$0" "$@"`;
  return collect(
    args,
    spawn('bash', ['-c', script, process.execPath, mainFile, ...args], { env: { ...process.env, ...env } }),
  );
}

/** An error is told in words, and behind everything else for programs. */
function requireError(args: readonly string[], { code, stdout, stderr }: CliResult): void {
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  const what = `boxwright ${args.join(' ')}`;
  if (line.startsWith('{"error":')) requireFit('error', JSON.parse(line), what);
  // doctor and detect print what they found where a check failed, or a picture could not be read.
  else assert.ok(code === 0 || code === 141 || stdout !== '', `${what}: the error as JSON is missing: ${stderr}`);
}

export async function runCli(...args: string[]): Promise<CliResult> {
  return startCli(args).result;
}
