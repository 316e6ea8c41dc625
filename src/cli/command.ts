import type { InferredOptionTypes, Options, PositionalOptions } from 'yargs';
import type { Terminal } from './terminal.js';

/** What a command works with, beside its arguments. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * A command as data. Its file imports only light things at the top, and what does the work inside `run`, so that
 * `--help` is quick.
 */
export interface Command<
  P extends Record<string, PositionalOptions> = Record<string, PositionalOptions>,
  O extends Record<string, Options> = Record<string, Options>,
> {
  /** Name and positionals as yargs writes them, such as `detect <model> <pictures..>`. */
  readonly usage: string;
  readonly about: string;
  readonly positionals: P;
  readonly options: O;
  /** Command lines with what they do. */
  readonly examples?: readonly (readonly [line: string, about: string])[];
  /** Gives the exit code where it is not 0. */
  run(args: InferredOptionTypes<P & O>, context: Context): Promise<number | undefined>;
}

/** A command of any arguments. */
export type AnyCommand = Omit<Command, 'run'> & {
  run(args: never, context: Context): Promise<number | undefined>;
};

/** The word by which a command is called. */
export const nameOf = ({ usage }: AnyCommand): string => usage.split(' ')[0];

/** Lets TypeScript infer the types of a command's arguments. */
export function command<P extends Record<string, PositionalOptions>, O extends Record<string, Options>>(
  definition: Command<P, O>,
): Command<P, O> {
  return definition;
}

/** A command line that makes no sense; exit code 2. */
export class UsageError extends Error {}

/** Options of every command that runs a model. */
export const engineOptions = {
  provider: {
    choices: ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const,
    default: 'cpu' as const,
    describe: 'Where ONNX Runtime computes',
  },
  threads: { type: 'number', describe: 'Threads of one operator; all cores by default' },
} as const;
