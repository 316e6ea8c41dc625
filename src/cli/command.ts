import type { Terminal } from './terminal.js';

/** What a command works with, beside its arguments. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** `--name value`, or `--name` and `--no-name` for a boolean. Without a type it is one of its choices. */
export interface OptionSpec {
  readonly type?: 'string' | 'number' | 'boolean';
  readonly choices?: readonly (string | number)[];
  /** Of a number: it is whole, and this is the least. */
  readonly wholeFrom?: number;
  /** Takes several values, one behind the other. */
  readonly array?: boolean;
  readonly default?: string | number | boolean;
  readonly describe: string;
}

/** What stands on the command line without a name. */
export interface PositionalSpec {
  readonly type: 'string';
  readonly array?: boolean;
  readonly demandOption?: boolean;
  readonly describe: string;
}

/** When options of a command mean something. */
export interface OptionRule {
  /** Names of options, or of positionals. */
  readonly options: readonly string[];
  /** They do nothing unless one of these is given: `out`, or with a value (of several with commas between) `schedule=step`. */
  readonly needs?: readonly string[];
  /** They do nothing if one of these is given. */
  readonly excludes?: readonly string[];
  /** What stands behind the colon of the message. */
  readonly because: string;
}

type Single<S> = S extends { readonly choices: readonly (infer C)[] }
  ? C
  : S extends { readonly type: 'number' }
    ? number
    : S extends { readonly type: 'boolean' }
      ? boolean
      : string;

type Value<S> = S extends { readonly array: true } ? Single<S>[] : Single<S>;

/** The arguments that a command's `run` gets, by the names on the command line. */
export type ArgumentsOf<S> = {
  readonly [K in keyof S]: S[K] extends
    | { readonly demandOption: true }
    | { readonly default: string | number | boolean }
    ? Value<S[K]>
    : Value<S[K]> | undefined;
};

/** What an overview tells of a command. */
export interface Outline {
  /** Name and positionals: `<one>`, `[optional]`, `<several..>`; such as `detect <model> <pictures..>`. */
  readonly usage: string;
  readonly about: string;
}

/**
 * A command as data. Its file imports only light things at the top, and what does the work inside `run`, so that
 * `--help` is quick.
 */
export interface Command<
  P extends Record<string, PositionalSpec> = Record<string, PositionalSpec>,
  O extends Record<string, OptionSpec> = Record<string, OptionSpec>,
> extends Outline {
  readonly positionals: P;
  readonly options: O;
  /** Which options mean something only with others, or without them. */
  readonly rules?: readonly OptionRule[];
  /** Command lines with what they do. */
  readonly examples?: readonly (readonly [line: string, about: string])[];
  /** Gives the exit code where it is not 0. */
  run(args: ArgumentsOf<P & O>, context: Context): Promise<number | undefined>;
}

/** A command of any arguments. */
export type AnyCommand = Omit<Command, 'run'> & {
  run(args: never, context: Context): Promise<number | undefined>;
};

/** The word by which a command is called. */
export const nameOf = ({ usage }: Outline): string => usage.split(' ')[0];

/** Lets TypeScript infer the types of a command's arguments. */
export function command<const P extends Record<string, PositionalSpec>, const O extends Record<string, OptionSpec>>(
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
  threads: { type: 'number', wholeFrom: 0, describe: 'Threads of one operator; 0, the default: all cores' },
} as const;
