import yargs, { type Argv } from 'yargs';
import { nearestName } from '../models/nearest-name.js';
import { version } from '../version.js';
import { type AnyCommand, UsageError } from './command.js';

/** A command and what was given to it. */
export interface ParsedLine {
  readonly command: AnyCommand;
  readonly args: Readonly<Record<string, unknown>>;
}

const globalOptions = {
  verbose: { type: 'boolean', default: false, describe: 'Show where an error came from' },
} as const;

const nameOf = ({ usage }: AnyCommand) => usage.split(' ')[0];

/**
 * Reads a command line. Undefined if it asked for help or the version, which is then printed.
 *
 * @throws UsageError with the nearest name for unknown commands and options.
 */
export async function parseLine(
  line: readonly string[],
  commands: readonly AnyCommand[],
): Promise<ParsedLine | undefined> {
  let parsed: ParsedLine | undefined;
  let parser = yargs([...line])
    .scriptName('boxwright')
    .usage('$0 <command>\n\nTrains, evaluates, runs and ships object detectors.')
    .version(version)
    .help()
    .alias('help', 'h')
    .options(globalOptions)
    .strict()
    .demandCommand(1, 'Which command?')
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .exitProcess(false)
    .epilogue('Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.');
  for (const command of commands) {
    parser = parser.command(
      command.usage,
      command.about,
      (builder) => described(builder, command),
      (args) => {
        parsed = { command, args };
      },
    ) as typeof parser;
  }
  parser.fail((message, error) => {
    if (error && error.name !== 'YError') throw error;
    throw new UsageError(explained(error?.message ?? message, line, commands));
  });
  await parser.parseAsync();
  if (parsed) requireSane(parsed);
  return parsed;
}

function described(builder: Argv, { usage, positionals, options, examples = [] }: AnyCommand): Argv {
  let described = builder.usage(`$0 ${usage}`);
  for (const [name, positional] of Object.entries(positionals)) described = described.positional(name, positional);
  for (const [name, option] of Object.entries(options)) {
    const takesValue = option.type === 'string' || option.type === 'number' || option.choices !== undefined;
    described = described.option(name, { requiresArg: takesValue, ...option });
  }
  return examples.reduce((all, [example, about]) => all.example(`$0 ${example}`, about), described);
}

/** yargs's message, with what was probably meant. */
function explained(message: string, line: readonly string[], commands: readonly AnyCommand[]): string {
  const names = commands.map(nameOf);
  const given = line.find((word) => !word.startsWith('-'));
  const command = commands.find((candidate) => nameOf(candidate) === given);
  if (given === undefined) return `${message} Known: ${names.join(', ')}.`;
  if (!command)
    return `There is no command "${given}". Did you mean "${nearestName(given, names)}"? Known: ${names.join(', ')}.`;
  const [, unknown] = /^Unknown arguments?: ([^,]+)/.exec(message) ?? [];
  if (/^Not enough non-option/.test(message)) return `Something is missing: boxwright ${command.usage}`;
  if (unknown === undefined) return message;
  const isOption = line.some((word) => word.replace(/^--?/, '').split('=')[0] === unknown && word.startsWith('-'));
  if (!isOption) return `"${unknown}" is one argument too many.`;
  const known = [...Object.keys(command.options), ...Object.keys(globalOptions), 'help', 'version'];
  return `There is no option --${unknown}. Did you mean --${nearestName(unknown, known)}?`;
}

/** yargs makes a list of an option given twice, and NaN of a word that is no number. */
function requireSane({ command, args }: ParsedLine): void {
  for (const [name, { type, array }] of Object.entries(command.options)) {
    if (!array && Array.isArray(args[name])) throw new UsageError(`--${name} is given twice.`);
    if (type === 'number' && Number.isNaN(args[name])) throw new UsageError(`--${name} needs a number.`);
  }
}
