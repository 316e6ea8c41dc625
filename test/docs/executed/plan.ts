// What there is to execute in a document, with the rules applied. Nothing is run here.
import { type Snippet, snippetsOf } from '../documents.js';
import { type CommandLine, commandLines, ownCommand } from './command-lines.js';
import * as rules from './rules.js';

export type StepKind = 'own' | 'shell' | 'program' | 'python' | 'settings' | 'tsconfig' | 'output' | 'unknown';

export interface Step {
  readonly kind: StepKind;
  readonly file: string;
  readonly line: number;
  /** The snippet that it is of: its line. */
  readonly block: number;
  /** As the document has it. */
  readonly shown: string;
  /** As it is executed. */
  readonly text: string;
  /** For a command of boxwright's. */
  readonly words: readonly string[];
  /** File that the command's results go to. */
  readonly into?: string;
  /** Results that the document shows. */
  readonly output?: string;
  readonly code: number;
  readonly otherwise: Readonly<Record<string, string>>;
  /** What readers do not see. */
  readonly needs: string;
  readonly isSubstituted: boolean;
  /** Why it is never executed. */
  readonly exception?: string;
  /** Why it is left to the full test. */
  readonly slow?: string;
}

/** Rules that have matched so far. */
export const used = new Set<object>();

/** The steps of a document. */
export function stepsOf(file: string, snippets: readonly Snippet[] = snippetsOf(file)): Step[] {
  return snippets.flatMap((snippet) => {
    const { language, text } = snippet;
    if (['sh', 'bash', 'shell'].includes(language)) return commandLines(snippet).map((each) => command(snippet, each));
    if (['ts', 'js', 'mjs'].includes(language)) return [step(snippet, 'program', text)];
    if (['python', 'py'].includes(language)) return [step(snippet, 'python', text)];
    if (language === 'json') return [json(snippet)];
    if (['', 'text', 'console', 'jsonl'].includes(language)) return plain(snippet);
    if (Object.hasOwn(rules.otherLanguages, language)) {
      languages.add(language);
      return [];
    }
    return [step(snippet, 'unknown', text)];
  });
}

/** Other languages that were met. */
export const languages = new Set<string>();

interface More {
  readonly line?: number;
  readonly output?: string;
  readonly code?: number;
  readonly otherwise?: Readonly<Record<string, string>>;
}

function step(snippet: Snippet, kind: StepKind, shown: string, more: More = {}): Step {
  const { file, line: block, needs } = snippet;
  const exception = rules.exceptions.find((rule) => fits(rule, file, shown));
  const slow = rules.slow.find((rule) => fits(rule, file, shown));
  const quick = slow && rules.quickAllTheSame.find((rule) => fits(rule, file, shown));
  for (const rule of [exception, slow, quick]) if (rule) used.add(rule);
  const text = kind === 'output' ? shown : substituted(shown);
  return {
    ...{ kind, file, block, shown, needs, text, words: [], code: 0, otherwise: {}, line: block, ...more },
    isSubstituted: text !== shown,
    exception: exception?.why,
    slow: quick ? undefined : slow?.why,
  };
}

const fits = ({ find, file: only }: rules.Exception, file: string, text: string) =>
  (only === undefined || only === file) && find.test(text);

function substituted(text: string): string {
  return rules.substitutions.reduce((before, rule) => {
    const after = before.replace(rule.find, rule.put);
    if (after !== before) used.add(rule);
    return after;
  }, text);
}

function command(snippet: Snippet, { line, text }: CommandLine, more: More = {}): Step {
  const planned = step(snippet, 'shell', text, { line, ...more });
  const own = ownCommand(planned.text);
  // How a command fails is main.ts's, so that it needs a process of its own.
  if (!own || planned.code !== 0) return planned;
  const bare = `boxwright ${own.words.join(' ')}`;
  const words = [...own.words];
  for (const rule of rules.optionRules.filter(({ of }) => of.test(bare))) {
    used.add(rule);
    for (const [name, value] of Object.entries(rule.set)) setOption(words, `--${name}`, value);
  }
  const isSubstituted = planned.isSubstituted || words.length !== own.words.length;
  return { ...planned, kind: 'own', words, into: own.into, isSubstituted };
}

function setOption(words: string[], name: string, value: string): void {
  const at = words.indexOf(name);
  if (at < 0) words.push(name, value);
  else words[at + 1] = value;
}

function json(snippet: Snippet): Step {
  const value = JSON.parse(snippet.text) as Record<string, unknown>;
  if ('compilerOptions' in value) return step(snippet, 'tsconfig', snippet.text);
  const names = Object.keys(value).filter((name) => name !== '$schema');
  const isSettings = names.length > 0 && names.every((name) => Object.hasOwn(rules.withSettings, name));
  if (isSettings) for (const name of names) settingsUsed.add(name);
  return step(snippet, isSettings ? 'settings' : 'output', snippet.text, { output: snippet.text });
}

/** Commands that settings files were met for. */
export const settingsUsed = new Set<string>();

/** A block without a language: commands behind `$` with what they print, commands alone, or output of a listed command. */
function plain(snippet: Snippet): Step[] {
  const { file, line, text } = snippet;
  const isShell = text.split('\n').every((each) => /^(npm|npx|node|boxwright) |^$/.test(each));
  if (isShell) return commandLines(snippet).map((each) => command(snippet, each));
  if (text.startsWith('$ ')) {
    return text.split(/^(?=\$ )/m).map((part) => {
      const [first, ...rest] = part.split('\n');
      const [only] = commandLines({ line, text: first });
      return command(snippet, only, { output: rest.join('\n') });
    });
  }
  const listed = rules.shownOutputs.find((each) => each.file === file && text.startsWith(each.begins));
  if (listed) {
    used.add(listed);
    const { code, otherwise } = listed;
    const planned = command(snippet, { line, text: listed.command }, { output: text, code, otherwise });
    const slow = rules.slow.find(({ find }) => find.test(text));
    if (slow) used.add(slow);
    return [{ ...planned, shown: text, slow: planned.slow ?? slow?.why }];
  }
  const planned = step(snippet, 'output', text);
  return [planned.exception === undefined ? { ...planned, kind: 'unknown' } : planned];
}
