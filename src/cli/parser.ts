import yargs, { type Argv } from 'yargs';
import { nearestName } from '../models/nearest-name.js';
import { version } from '../version.js';
import { type AnyCommand, nameOf, UsageError } from './command.js';
import { readSettings, type Settings } from './settings-file.js';

/** A command and what was given to it. */
export interface ParsedLine {
  readonly command: AnyCommand;
  readonly args: Readonly<Record<string, unknown>>;
}

const globalOptions = {
  verbose: { type: 'boolean', default: false, describe: 'Show where an error came from' },
  config: { type: 'string', describe: 'Settings of a project; boxwright.config.json or .ts if there is one' },
} as const;

/**
 * Reads a command line, and the settings of the project in `folder`. Undefined if it asked for help or the version, which
 * is then printed.
 *
 * @throws UsageError with the nearest name for unknown commands and options; BoxwrightError `config` for a settings file
 *   that does not fit.
 */
export async function parseLine(
  line: readonly string[],
  commands: readonly AnyCommand[],
  folder = process.cwd(),
): Promise<ParsedLine | undefined> {
  let parsed: ParsedLine | undefined;
  // Help must come up where the settings are what is wrong.
  const file = asksOnly(line) ? undefined : await readSettings(folder, settingsAsked(line), commands);
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
    .completion('completion', 'Print a script that completes commands and options in bash or zsh')
    .epilogue('Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.');
  for (const command of commands) {
    parser = parser.command(
      command.usage,
      command.about,
      (builder) => described(builder, command, file?.settings),
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

function asksOnly(line: readonly string[]): boolean {
  return (
    line.length === 0 || line.some((word) => ['--help', '-h', '--version', '--get-yargs-completions'].includes(word))
  );
}

/** What `--config` says, before the line is parsed as a whole. */
function settingsAsked(line: readonly string[]): string | undefined {
  const joined = line.find((word) => word.startsWith('--config='));
  if (joined !== undefined) return joined.slice('--config='.length);
  const at = line.indexOf('--config');
  return at < 0 ? undefined : line[at + 1];
}

function described(builder: Argv, command: AnyCommand, settings: Settings = {}): Argv {
  const { usage, positionals, options, examples = [] } = command;
  let described = builder.usage(`$0 ${usage}`).config(settings[nameOf(command)] ?? {});
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
  const given = line.find((word, i) => !word.startsWith('-') && line[i - 1] !== '--config');
  const command = commands.find((candidate) => nameOf(candidate) === given);
  if (given === undefined) return `${message} Known: ${names.join(', ')}.`;
  if (!command)
    return `There is no command "${given}". Did you mean "${nearestName(given, names)}"? Known: ${names.join(', ')}.`;
  const [, unknown] = /^Unknown arguments?: ([^,]+)/.exec(message) ?? [];
  if (/^Not enough non-option/.test(message)) return `Something is missing: boxwright ${command.usage}`;
  const [, valueless] = /^Not enough arguments following: (.+)$/.exec(message) ?? [];
  if (valueless !== undefined) return `--${valueless} needs a value.`;
  const [, choice, wrong, choices] = /Argument: (\S+), Given: (.+), Choices: (.+)/.exec(message) ?? [];
  if (choice !== undefined) return `--${choice} is ${wrong}; give one of ${choices}.`;
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
