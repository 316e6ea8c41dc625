// Executes the steps of a document in order, in a folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { UsageError } from '../../../src/cli/command.js';
import { commands } from '../../../src/cli/commands.js';
import { parseLine } from '../../../src/cli/parser.js';
import { Terminal } from '../../../src/cli/terminal.js';
import { mainFile, requireSchema } from '../../cli/run-cli.js';
import { root } from '../documents.js';
import { compiled } from './compile.js';
import type { Fixtures } from './fixtures.js';
import type { Step } from './plan.js';
import * as rules from './rules.js';
import { missingJson, missingLines } from './shown-output.js';

/** What became of a document's steps. */
export interface Tally {
  executed: number;
  substituted: number;
  excepted: number;
  /** To the full test. */
  left: number;
  /** For want of a Python. */
  withoutPython: number;
}

export interface Stage {
  /** Where documents have their folders. */
  readonly folder: string;
  /** Holds `boxwright`, `npx` and `python` as a shell finds them. */
  readonly bin: string;
  readonly fixtures: Fixtures;
  /** See `compileSnippets`. */
  readonly set: string;
  /** Slow steps too. */
  readonly full: boolean;
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const python = process.env.BOXWRIGHT_PEERS_PYTHON;
const needsPython = ({ kind, text }: Step) => kind === 'python' || (kind === 'shell' && /^python3? /.test(text));

/** Executes a document. @returns what does not work as it is shown. */
export async function perform(file: string, stage: Stage, tally: Tally, steps: readonly Step[]): Promise<string[]> {
  const folder = join(stage.folder, file.replace(/\W/g, '-'));
  await mkdir(folder, { recursive: true });
  await symlink(join(root, 'examples'), join(folder, 'examples'));
  const before = process.cwd();
  process.chdir(folder);
  const performance = new Performance(folder, stage);
  const problems: string[] = [];
  try {
    for (const [i, step] of steps.entries()) {
      if (step.exception !== undefined) tally.excepted++;
      else if (step.slow !== undefined && !stage.full) tally.left++;
      else if (needsPython(step) && python === undefined) tally.withoutPython++;
      else {
        tally.executed++;
        if (step.isSubstituted) tally.substituted++;
        const problem = await performance.problemOf(step).catch((error: unknown) => `${error}`);
        if (problem !== undefined) problems.push(`${file}:${step.line}: ${step.text.trim()}\n${problem}`);
      }
      if (steps[i + 1]?.block !== step.block) await performance.stopServers();
    }
  } finally {
    await performance.stopServers();
    process.chdir(before);
  }
  return problems;
}

class Performance {
  readonly #folder: string;
  readonly #stage: Stage;
  #last: Outcome | undefined;
  #servers: ReturnType<typeof spawn>[] = [];

  constructor(folder: string, stage: Stage) {
    this.#folder = folder;
    this.#stage = stage;
  }

  async problemOf(step: Step): Promise<string | undefined> {
    const { kind, file, text, needs, code: expected } = step;
    if (kind === 'unknown')
      return 'What is this, or which command prints it? Say so in test/docs/executed/rules.ts: otherLanguages, shownOutputs or exceptions.';
    if (kind === 'tsconfig') return undefined; // the programs are compiled with it
    if (kind === 'settings') return this.#settings(step);
    if (kind === 'output') return this.#shape(step, this.#last);
    for (const { before, file: only, fixture } of rules.given)
      if (file === only && before.test(text)) await this.#stage.fixtures.provide(this.#folder, fixture);
    await this.#stage.fixtures.provide(this.#folder, `${needs}\n${text}`, writtenBy(text));
    const outcome = await this.#run(step);
    this.#last = outcome;
    if (outcome.code !== expected)
      return `ended with ${outcome.code}, expected ${expected}:\n${outcome.stdout.slice(-2000)}\n${outcome.stderr.slice(-2000)}`;
    return step.output === undefined ? undefined : this.#shape(step, outcome);
  }

  async #run(step: Step): Promise<Outcome> {
    if (step.kind === 'own') {
      const outcome = await runHere(step.words);
      if (step.into !== undefined) await writeFile(join(this.#folder, step.into), outcome.stdout);
      if (outcome.code === 0) await this.#stage.fixtures.adopt(this.#folder, writtenBy(step.text));
      return outcome;
    }
    if (step.kind === 'program') return runProgram(compiled(step, this.#stage.set));
    if (step.kind === 'python') return this.#collect(python!, ['-c', step.text]);
    if (rules.servers.some((pattern) => pattern.test(step.text))) return this.#serve(step.text);
    return this.#collect('bash', ['-c', step.text]);
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: `${this.#stage.bin}:${process.env.PATH}` };
  }

  async #collect(program: string, args: readonly string[]): Promise<Outcome> {
    const child = spawn(program, args, { cwd: this.#folder, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr, [code]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  }

  /** It has begun when it prints its first line. */
  async #serve(text: string): Promise<Outcome> {
    const child = spawn('bash', ['-c', `exec ${text}`], {
      ...{ cwd: this.#folder, env: this.#env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#servers.push(child);
    const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null) return { code: child.exitCode, stdout: '', stderr: 'it ended at once' };
    return { code: 0, stdout: `${line}`, stderr: '' };
  }

  /** @throws Error if one does not end well. */
  async stopServers(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    for (const child of servers) {
      if (child.exitCode !== null) continue;
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`a server ended with ${code} on SIGTERM`);
    }
  }

  async #settings({ text }: Step): Promise<string | undefined> {
    const path = join(this.#folder, 'boxwright.config.json');
    await writeFile(path, text);
    try {
      const { $schema: _, ...byCommand } = JSON.parse(text) as Record<string, unknown>;
      for (const name of Object.keys(byCommand)) {
        const line = rules.withSettings[name];
        await this.#stage.fixtures.provide(this.#folder, `${text} ${line}`, writtenBy(line));
        const { code, stderr } = await runHere(line.split(' ').slice(1));
        if (code !== 0) return `${line}: ended with ${code}: ${stderr}`;
      }
    } finally {
      await rm(path);
    }
    return undefined;
  }

  #shape({ output = '', otherwise }: Step, outcome: Outcome | undefined): string | undefined {
    if (!outcome) return 'shows the output of nothing';
    const { stdout, stderr } = outcome;
    const missing = /^\s*[{[]/.test(output)
      ? missingJson(output, stdout, stderr)
      : missingLines(output, `${stdout}\n${stderr}`, otherwise);
    return missing.length > 0 ? `does not print\n${missing.join('\n')}\nbut\n${stdout}\n${stderr}` : undefined;
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

/** Paths that a command makes, which are not to be there before. */
function writtenBy(text: string): string[] {
  const options = /--resume/.test(text) ? 'draw|sheet' : 'out|draw|sheet|preview|fix|results';
  const named = new RegExp(
    `(?:--(?:${options})|boxwright (?:export|convert) \\S+|fine-tune\\.mjs(?: +\\S+){3}|\\s>) +(\\S+)`,
    'g',
  );
  return [...text.matchAll(named)].map(([, path]) => path);
}

/** Keeps what is written to it. */
class Kept extends Writable {
  text = '';

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** `boxwright …` in this process, which saves starting one. Exit codes are as main.ts has them. */
async function runHere(words: readonly string[]): Promise<Outcome> {
  const [stdout, stderr] = [new Kept(), new Kept()];
  const terminal = new Terminal({ stdout, stderr });
  const { signal } = new AbortController();
  let code: number;
  try {
    const parsed = await parseLine(words, commands);
    code = (await parsed?.command.run(parsed.args as never, { terminal, signal })) ?? 0;
  } catch (error) {
    terminal.error(error instanceof Error ? error.message : `${error}`);
    code = error instanceof UsageError ? 2 : 1;
  }
  return requireSchema(words, { code, stdout: stdout.text, stderr: stderr.text });
}

/** A compiled snippet; what it logs is its output. */
async function runProgram(path: string): Promise<Outcome> {
  const { log } = console;
  let stdout = '';
  console.log = (...values) => {
    stdout += `${format(...values)}\n`;
  };
  try {
    await import(pathToFileURL(path).href);
    return { code: 0, stdout, stderr: '' };
  } catch (error) {
    return { code: 1, stdout, stderr: error instanceof Error ? (error.stack ?? error.message) : `${error}` };
  } finally {
    console.log = log;
  }
}

/** Programs as a shell finds them. */
export async function fillBin(bin: string): Promise<void> {
  await mkdir(bin, { recursive: true });
  const script = (name: string, text: string) => writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await script('boxwright', `exec "${process.execPath}" "${mainFile}" "$@"`);
  await script('npx', 'shift\nexec boxwright "$@"');
  for (const name of python === undefined ? [] : ['python', 'python3']) await script(name, `exec "${python}" "$@"`);
}
