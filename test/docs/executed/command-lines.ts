// The command lines of a shell snippet.
import type { Snippet } from '../documents.js';

export interface CommandLine {
  /** Line of the document at which it begins, from 1. */
  readonly line: number;
  /** Without comments; continued lines are joined. */
  readonly text: string;
}

export function commandLines({ line, text }: Pick<Snippet, 'line' | 'text'>): CommandLine[] {
  const found: CommandLine[] = [];
  let open: CommandLine | undefined;
  for (const [i, raw] of text.split('\n').entries()) {
    const own = raw.replace(/(^|\s)#.*/, '').trim();
    const continues = own.endsWith('\\');
    const words = own.replace(/^\$ /, '').replace(/\s*\\$/, '');
    open = open ? { ...open, text: `${open.text} ${words}` } : { line: line + i, text: words };
    if (continues) continue;
    if (open.text !== '') found.push(open);
    open = undefined;
  }
  return found;
}

/** What a shell makes of a line without anything but words and quotes. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare);
}

/** A boxwright command that needs no shell: its words, and the file that its output goes to. */
export interface OwnCommand {
  readonly words: readonly string[];
  readonly into?: string;
}

/** Undefined for what only a shell can run: other programs, pipes, variables. */
export function ownCommand(text: string): OwnCommand | undefined {
  const [, own, into] = /^(?:npx )?boxwright ([^|;&<>$`]+?)(?:\s+>\s*(\S+))?$/.exec(text) ?? [];
  return own === undefined ? undefined : { words: wordsOf(own), into };
}
