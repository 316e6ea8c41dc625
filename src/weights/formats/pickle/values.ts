import type { ByteSource } from '../../byte-source.js';

/**
 * A long string of a pickle: not read, only where it lies. Weights are made of these, so they go from the file into
 * their tensor without a stop between.
 */
export class Span {
  /** @param encoding `bytes`, Python 2's `latin1` strings, or `utf8` text */
  constructor(
    readonly source: ByteSource,
    readonly position: number,
    readonly length: number,
    readonly encoding: 'bytes' | 'latin1' | 'utf8',
  ) {}
}

/** A class or function that a pickle names. Nothing is ever imported or run: it is a word that the allow-list explains. */
export class Global {
  /**
   * @param name `module.name`
   * @param call what an object made with it becomes; without it, it may be named but makes nothing
   */
  constructor(
    readonly name: string,
    readonly call?: (args: readonly unknown[]) => unknown,
  ) {}
}

/** Something that a pickle makes and then gives a state (Python's `__setstate__`). */
export abstract class Stateful {
  abstract setState(state: unknown): void;
}

/** A harmless object that no weights are in: made, given its state, and set aside. */
export class Inert extends Stateful {
  /** @param text what metadata says of it; nothing if empty */
  constructor(readonly text: string) {
    super();
  }

  override setState(_state: unknown): void {}
}

/** What stands where a tensor would, but holds none that boxwright reads; an error only if it is among the weights. */
export class Unreadable extends Stateful {
  constructor(readonly what: string) {
    super();
  }

  override setState(_state: unknown): void {}
}

/** Python's dict, also ordered, counting and with default. Attributes of its own (state_dict's `_metadata`) are dropped. */
export class PickleDict extends Stateful {
  // Made when first written to: an empty Map takes 100 bytes and more for one byte of a hostile file.
  #entries: Map<unknown, unknown> | undefined;

  set(key: unknown, value: unknown): void {
    this.#entries ??= new Map();
    this.#entries.set(key, value);
  }

  get(key: unknown): unknown {
    return this.#entries?.get(key);
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  entries(): Iterable<[unknown, unknown]> {
    return this.#entries ?? [];
  }

  override setState(_state: unknown): void {}
}

/** A problem with what a pickle says; the machine adds where. */
export class PickleProblem extends Error {}

/** Some of a text that a file says, for a message. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
