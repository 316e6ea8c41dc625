import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { writeError, writeFileAtomically } from '../weights/atomic-file.js';
import { type Checkpoint, type Progress, readCheckpoint, writeCheckpoint } from '../weights/checkpoint.js';
import type { TrainConfig } from './config.js';
import type { TrainEvent } from './events.js';

/**
 * A run on disk: `config.json`, `events.jsonl`, `last.safetensors` (everything to go on with) and `best.safetensors`
 * (to detect with). Each file is replaced whole, so that a run that is killed at any moment can be resumed.
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws BoxwrightError `io` if the folder exists and is not empty. */
  static requireFree(path: string): void {
    if (existsSync(path) && readdirSync(path).length > 0) {
      throw new BoxwrightError(
        'io',
        `The folder ${path} is not empty. Go on with the run in it by --resume, or choose another one by --out.`,
      );
    }
  }

  /** @throws BoxwrightError `io` if the folder exists and is not empty, or cannot be made. */
  static create(path: string): RunFolder {
    RunFolder.requireFree(path);
    try {
      mkdirSync(path, { recursive: true });
    } catch (cause) {
      throw writeError(path, cause);
    }
    return new RunFolder(path);
  }

  /** @throws BoxwrightError `io` if there is no run in the folder. */
  static open(path: string): RunFolder {
    if (!existsSync(join(path, 'config.json'))) {
      throw new BoxwrightError('io', `There is no run to resume in ${path}: it has no config.json.`);
    }
    return new RunFolder(path);
  }

  get last(): string {
    return join(this.path, 'last.safetensors');
  }

  get best(): string {
    return join(this.path, 'best.safetensors');
  }

  async writeConfig(config: TrainConfig): Promise<void> {
    await writeFileAtomically(join(this.path, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  readConfig(): TrainConfig {
    const path = join(this.path, 'config.json');
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as TrainConfig;
    } catch (cause) {
      throw new BoxwrightError('io', `${path} cannot be read: ${(cause as Error).message}`, { cause });
    }
  }

  /** The checkpoint to go on from, if the run came as far as writing one. */
  async readLast(): Promise<Checkpoint | undefined> {
    return existsSync(this.last) ? readCheckpoint(this.last) : undefined;
  }

  async write(path: string, checkpoint: Checkpoint): Promise<void> {
    await writeCheckpoint(path, checkpoint);
  }

  append(event: TrainEvent): void {
    try {
      appendFileSync(join(this.path, 'events.jsonl'), `${JSON.stringify(event)}\n`);
    } catch (cause) {
      throw writeError(join(this.path, 'events.jsonl'), cause);
    }
  }

  /** Forgets what was written of things that are done again; a line cut off by a crash goes too. */
  async rewindEvents(progress: Progress): Promise<void> {
    const path = join(this.path, 'events.jsonl');
    if (!existsSync(path)) return;
    const kept = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => isDone(line, progress));
    await writeFileAtomically(path, kept.map((line) => `${line}\n`).join(''));
  }
}

function isDone(line: string, { step, evaluationDue }: Progress): boolean {
  try {
    const event = JSON.parse(line) as { kind: TrainEvent['kind']; step?: number };
    if (event.step === step && event.kind === 'evaluation') return !evaluationDue;
    return event.step === undefined || event.step <= step;
  } catch {
    return false;
  }
}

/** `runs/<model>-<data>`, with a number behind where it exists. */
export function freeRunFolder(model: string, data: string): string {
  const base = join('runs', `${model}-${basename(data.replace(/[\\/]+$/, '')).replace(/\.[a-z]+$/, '')}`);
  let path = base;
  for (let i = 2; existsSync(path); i++) path = `${base}-${i}`;
  return path;
}
