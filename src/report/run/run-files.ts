import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { BoxwrightError } from '../../errors.js';
import { writeFileAtomically } from '../../weights/atomic-file.js';
import type { Environment } from './environment.js';
import type { EvaluationDetails } from './evaluation-details.js';
import type { RunData } from './part-figures.js';
import { type RecordedEvent, RunRecord } from './run-record.js';

/** Of `report.json`; another version's is not read. */
const format = 1;

/** What a report needs beside a run's settings and events: the run's `report.json`. */
export interface RunNotes {
  readonly data?: RunData;
  readonly environment?: Environment;
  readonly details?: EvaluationDetails;
  readonly failure?: string;
}

/** A run as its folder has it. */
export interface StoredRun {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly record: RunRecord;
  readonly notes: RunNotes;
}

/**
 * Reads a run folder. A run that is going on, one that broke off, and those of older versions, which lack `report.json`,
 * are read as far as they are there.
 *
 * @throws BoxwrightError `io` for a folder without a run, and for files that are none.
 */
export async function readRun(folder: string): Promise<StoredRun> {
  if (!existsSync(join(folder, 'config.json'))) {
    throw new BoxwrightError(
      'io',
      `There is no run in ${folder}: it has no config.json. Give the folder that train wrote.`,
    );
  }
  const config = await readJson<Record<string, unknown>>(join(folder, 'config.json'));
  const record = await readEvents(folder, () => {});
  return { name: basename(resolve(folder)), config: config ?? {}, record, notes: (await readNotes(folder)) ?? {} };
}

/** The notes of a run, or undefined where there are none that this version understands. */
export async function readNotes(folder: string): Promise<RunNotes | undefined> {
  const notes = await readJson<RunNotes & { readonly format?: number }>(join(folder, 'report.json'));
  return notes?.format === format ? notes : undefined;
}

/** Writes a run's `report.json`. @throws BoxwrightError `io` */
export async function writeNotes(folder: string, notes: RunNotes): Promise<void> {
  await writeFileAtomically(join(folder, 'report.json'), `${JSON.stringify({ format, ...notes })}\n`);
}

/** All of a run's events, one at a time, gathered; a line that is cut off is left out. */
export async function readEvents(folder: string, onEvent: (event: RecordedEvent) => void): Promise<RunRecord> {
  const record = new RunRecord();
  const path = join(folder, 'events.jsonl');
  if (!existsSync(path)) return record;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    let event: RecordedEvent;
    try {
      event = JSON.parse(line) as RecordedEvent;
    } catch {
      continue;
    }
    record.add(event);
    onEvent(event);
  }
  return record;
}

async function readJson<T>(path: string): Promise<T | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (cause) {
    throw new BoxwrightError('io', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
