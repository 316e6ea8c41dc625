import { Argument, Command, CommanderError, Option } from 'commander';
import { nearestName } from '../models/nearest-name.js';
import { version } from '../version.js';
import { type AnyCommand, nameOf, type OptionSpec, UsageError } from './command.js';
import { requireMeaning } from './option-rules.js';
import { asksForCompletion } from './outlines.js';
import { readSettings, type Settings } from './settings-file.js';

/** A command and what was given to it. */
export interface ParsedLine {
  readonly command: AnyCommand;
  readonly args: Readonly<Record<string, unknown>>;
  /** Whether only results, warnings and errors are to be shown. */
  readonly quiet: boolean;
}

const globalOptions: Readonly<Record<string, OptionSpec>> = {
  config: { type: 'string', describe: 'Settings of a project; boxwright.config.json or .ts if there is one' },
  quiet: { type: 'boolean', describe: 'Show results, warnings and errors only' },
  verbose: { type: 'boolean', describe: 'Show where an error came from' },
};

/** What commander knows of a subcommand once a line named it. */
interface Found {
  readonly command: AnyCommand;
  readonly line: Command;
}

/**
 * Reads a command line, and the settings of the project in `folder`. Undefined if it asked for help, the version or
 * completion, which is then printed.
 *
 * @throws UsageError with the nearest name for unknown commands and options; BoxwrightError `config` for a settings file
 *   that does not fit.
 */
export async function parseLine(
  line: readonly string[],
  commands: readonly AnyCommand[],
  folder = process.cwd(),
): Promise<ParsedLine | undefined> {
  let found: Found | undefined;
  const program = programOf(commands, (subcommand) => {
    found = subcommand;
  });
  await addCompletion(program, line);
  try {
    await program.parseAsync(line, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined; // help or the version was asked for
    throw new UsageError(explained(error, line, commands));
  }
  if (!found) return undefined;
  const { config, quiet = false } = program.opts<{ config?: string; quiet?: boolean }>();
  const file = await readSettings(folder, config, commands);
  return { command: found.command, args: argumentsOf(found, file?.settings), quiet };
}

function programOf(commands: readonly AnyCommand[], onFound: (found: Found) => void): Command {
  const program = new Command('boxwright')
    .description('Trains, evaluates, runs and ships object detectors.')
    .version(version, '--version', 'Print the version')
    .helpOption('-h, --help', 'Print this')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({
      helpWidth: Math.min(110, process.stdout.columns ?? 100),
      showGlobalOptions: true,
      subcommandTerm: (line) => `${line.name()} ${line.usage()}`.replace(/ ?\[options\]/, ''),
    })
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 141 nobody reads.');
  for (const option of optionsOf(globalOptions)) program.addOption(option);
  for (const command of commands) {
    const [name, ...placed] = command.usage.split(' ');
    const line = program.command(name).description(command.about).allowExcessArguments();
    line.usage([...placed, '[options]'].join(' '));
    const about = Object.values(command.positionals);
    placed.forEach((word, i) => {
      line.addArgument(new Argument(word.replace('..', '...'), about[i]?.describe));
    });
    for (const option of optionsOf(command.options)) line.addOption(option);
    if (command.examples) line.addHelpText('after', `\nExamples:\n${command.examples.map(exampleText).join('\n')}`);
    line.action(() => onFound({ command, line }));
  }
  return program;
}

/** On lines of their own, so that they can be copied. */
const exampleText = ([line, about]: readonly [string, string]) => `  ${about}\n    boxwright ${line}`;

/** Loaded for what needs it alone: the script for a shell, and what that script asks for while somebody types. */
async function addCompletion(program: Command, line: readonly string[]): Promise<void> {
  if (asksForCompletion(line)) {
    const { default: complete } = await import('@bomb.sh/tab/commander');
    complete(program, { completionCommandName: 'completion' });
    const [name, shell] = line;
    if (name === 'completion' && shell === 'bash') {
      const { bashCompletion } = await import('./bash-completion.js');
      program.commands.find((command) => command.name() === name)?.action(() => console.log(bashCompletion));
    }
  } else {
    program.command('completion <shell>').description('Print a script that completes commands and options in a shell');
  }
}

function* optionsOf(specs: Readonly<Record<string, OptionSpec>>): Generator<Option> {
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.type === 'boolean') {
      yield new Option(`--${name}`, spec.describe).hideHelp(spec.default === true);
      yield new Option(`--no-${name}`, spec.describe).hideHelp(spec.default !== true);
    } else yield valueOption(name, spec);
  }
}

function valueOption(name: string, spec: OptionSpec): Option {
  const { array = false, choices, describe } = spec;
  const option = new Option(`--${name} <${kindOf(spec)}${array ? '...' : ''}>`, describe);
  if (choices) option.choices(choices.map(String)); // for help and completion
  if (spec.default !== undefined) option.default(spec.default);
  let before: unknown[] | undefined;
  return option.argParser((text: string) => {
    if (before && !array) throw new UsageError(`--${name} is given twice.`);
    before = [...(before ?? []), parsedValue(name, spec, text)];
    return array ? before : before[0];
  });
}

/** What help calls an option's value. */
const kindOf = ({ type, choices }: OptionSpec) => (choices ? 'choice' : type === 'number' ? 'number' : 'text');

function parsedValue(name: string, { type, choices, wholeFrom }: OptionSpec, text: string): string | number {
  // commander takes the next word whatever it is.
  if (/^--[a-z]/.test(text)) throw new UsageError(`--${name} needs a value.`);
  if (choices) {
    const choice = choices.find((candidate) => String(candidate) === text);
    if (choice === undefined) throw new UsageError(`--${name} is "${text}"; give one of ${choices.join(', ')}.`);
    return choice;
  }
  if (type !== 'number') return text;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(number)) throw new UsageError(`--${name} is "${text}"; give a number.`);
  if (wholeFrom !== undefined && !(Number.isInteger(number) && number >= wholeFrom))
    throw new UsageError(`--${name} is ${text}; give a whole number from ${wholeFrom}.`);
  return number;
}

/** Positionals and options by name: what the line says, else the settings, else the default. */
function argumentsOf({ command, line }: Found, settings: Settings = {}): Record<string, unknown> {
  const names = Object.keys(command.positionals);
  const isOpen = Object.values(command.positionals).some(({ array }) => array);
  if (!isOpen && line.args.length > names.length)
    throw new UsageError(`"${line.args[names.length]}" is one argument too many.`);
  const own = settings[nameOf(command)] ?? {};
  const args = Object.fromEntries(names.map((name, i) => [name, line.processedArgs[i] as unknown]));
  const given = new Set(names);
  for (const [name, spec] of Object.entries(command.options)) {
    const key = new Option(`--${name}`).attributeName();
    const isGiven = line.getOptionValueSource(key) === 'cli';
    if (isGiven) given.add(name);
    args[name] = (isGiven ? (line.getOptionValue(key) as unknown) : own[name]) ?? spec.default;
  }
  return requireMeaning(command, args, given);
}

/** The command that a line names, though there may be mistakes in it. */
export function commandOf(line: readonly string[], commands: readonly AnyCommand[]): AnyCommand | undefined {
  const named = line.map((word) => commands.find((command) => nameOf(command) === word));
  return named.find((command) => command !== undefined);
}

/** commander's message in our words, with what was probably meant. */
function explained(
  { code, message }: CommanderError,
  line: readonly string[],
  commands: readonly AnyCommand[],
): string {
  const names = [...commands.map(nameOf), 'completion'];
  const command = commandOf(line, commands);
  const [, quoted = ''] = /'([^']*)'/.exec(message) ?? [];
  switch (code) {
    case 'commander.help':
      return `Which command? Known: ${names.join(', ')}.`;
    case 'commander.unknownCommand':
      return `There is no command "${quoted}". Did you mean "${nearestName(quoted, names)}"? Known: ${names.join(', ')}.`;
    case 'commander.missingArgument':
      return `Something is missing: boxwright ${command?.usage}`;
    case 'commander.optionMissingArgument':
      return `${quoted.split(' ')[0]} needs a value.`;
    case 'commander.unknownOption': {
      const [unknown] = quoted.replace(/^--?/, '').split('=');
      const known = [...Object.keys(command?.options ?? {}), ...Object.keys(globalOptions), 'help', 'version'];
      return `There is no option ${quoted.split('=')[0]}. Did you mean --${nearestName(unknown, known)}?`;
    }
    default:
      return message.replace(/^error: /, '');
  }
}
