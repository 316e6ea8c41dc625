import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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
  return collect(spawn(process.execPath, [mainFile, ...args], { env: { ...process.env, ...env } }));
}

function collect(child: ChildProcessWithoutNullStreams): RunningCli {
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const result = new Promise<CliResult>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { process: child, result };
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
    spawn('bash', ['-c', script, process.execPath, mainFile, ...args], { env: { ...process.env, ...env } }),
  );
}

export async function runCli(...args: string[]): Promise<CliResult> {
  return startCli(args).result;
}
