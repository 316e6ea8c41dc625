// Options that would be ignored are refused: somebody who gives one expects that it does something.
import { type AnyCommand, type OptionRule, UsageError } from './command.js';

/**
 * A command's arguments, less those that the project's settings give and that mean nothing on this line.
 *
 * @param given names of what the command line itself gives
 * @throws UsageError for an option that is given on the line and would be ignored.
 */
export function requireMeaning(
  { options, rules = [] }: Pick<AnyCommand, 'options' | 'rules'>,
  args: Readonly<Record<string, unknown>>,
  given: ReadonlySet<string>,
): Record<string, unknown> {
  const kept = { ...args };
  const called = (name: string) => (name in options ? `--${name}` : `<${name}>`);
  for (const rule of rules) {
    const problem = problemOf(rule, args, called);
    if (problem === undefined) continue;
    for (const name of rule.options.filter((own) => isGiven(args[own]))) {
      if (given.has(name)) throw new UsageError(`${called(name)} ${problem}: ${rule.because}.`);
      kept[name] = options[name].default;
    }
  }
  return kept;
}

/** What is wrong with the rule's options on this line, if they are given. */
function problemOf(
  { needs, excludes = [] }: OptionRule,
  args: Readonly<Record<string, unknown>>,
  called: (name: string) => string,
): string | undefined {
  const shown = (condition: string) => {
    const [name, value] = condition.split('=');
    return value === undefined ? called(name) : `${called(name)} ${value}`;
  };
  const against = excludes.find((condition) => holds(condition, args));
  if (against !== undefined) return `does not go with ${shown(against)}`;
  if (needs === undefined || needs.some((condition) => holds(condition, args))) return undefined;
  return `needs ${needs.map(shown).join(' or ')}`;
}

function holds(condition: string, args: Readonly<Record<string, unknown>>): boolean {
  const [name, value] = condition.split('=');
  if (value === undefined) return isGiven(args[name]);
  return `${args[name]}`.split(',').includes(value);
}

/** `--no-tta` asks for nothing. */
const isGiven = (value: unknown) => value !== undefined && value !== false;
