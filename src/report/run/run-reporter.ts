import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { writeFileAtomically } from '../../weights/atomic-file.js';
import { dataAddress, thumbnail } from '../drawing/thumbnails.js';
import { CsvFile } from '../logs/csv.js';
import { EventFile, rewindEventFiles } from '../logs/tensorboard.js';
import type { Environment } from './environment.js';
import type { EvaluationDetails } from './evaluation-details.js';
import type { RunData } from './part-figures.js';
import { type RunNotes, readEvents, readNotes, readRun, type StoredRun, writeNotes } from './run-files.js';
import { runPage } from './run-page.js';
import {
  type RecordedEvaluation,
  type RecordedEvent,
  type RecordedStep,
  RunRecord,
  stepFigures,
} from './run-record.js';

export interface ReporterSetup {
  readonly config: object;
  readonly data: RunData;
  readonly environment: Environment;
  /** Step that a resumed run goes on from, and whether the evaluation at that step is yet to come. */
  readonly resumedAt?: { readonly step: number; readonly evaluationDue: boolean };
  /** Milliseconds after which a step writes the report again; a minute by default. */
  readonly every?: number;
}

/**
 * Keeps a run's report, tables and TensorBoard files up to date while it trains. What cannot be written is told of once
 * and then left: a report is no reason to lose a run.
 */
export class RunReporter {
  readonly #folder: string;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #steps: CsvFile;
  readonly #metrics: CsvFile;
  #board: EventFile;
  #record = new RunRecord();
  #notes: RunNotes;
  #thumbnails = new Map<string, string | undefined>();
  #problem: string | undefined;
  #broken = false;
  readonly #every: number;
  #written = 0;

  private constructor(folder: string, { config, data, environment, every = 60_000 }: ReporterSetup) {
    this.#folder = folder;
    this.#every = every;
    // As config.json has it: without settings that are not set.
    this.#config = JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
    this.#notes = { data, environment };
    this.#steps = new CsvFile(join(folder, 'steps.csv'));
    this.#metrics = new CsvFile(join(folder, 'metrics.csv'));
    this.#board = EventFile.next(folder);
  }

  /** Begins, or goes on from the events that a resumed run keeps. */
  static async start(folder: string, setup: ReporterSetup): Promise<RunReporter> {
    const reporter = new RunReporter(folder, setup);
    await reporter.#guarded(() => reporter.#goOn(setup));
    return reporter;
  }

  async #goOn({ resumedAt }: ReporterSetup): Promise<void> {
    if (!resumedAt) return;
    const { step, evaluationDue } = resumedAt;
    // Tables are written again: what a break left behind the last checkpoint is not in the events any more.
    for (const { path } of [this.#steps, this.#metrics]) await rm(path, { force: true });
    this.#record = await readEvents(this.#folder, (event) => this.#tabulate(event));
    await rewindEventFiles(this.#folder, (event) => {
      const isEvaluation = Object.keys(event.values).some((tag) => tag.startsWith('evaluation/'));
      return event.step < step || (event.step === step && !(isEvaluation && evaluationDue));
    });
    const { details } = (await readNotes(this.#folder)) ?? {};
    if (details && details.step === this.#record.best?.step) this.#notes = { ...this.#notes, details };
  }

  /** What the report shows of the evaluation whose event comes next, if it is the best so far. */
  async judged(details: () => EvaluationDetails): Promise<void> {
    await this.#guarded(async () => {
      this.#notes = { ...this.#notes, details: details() };
    });
  }

  /** Takes an event in; at the start, at evaluations, at the end and in between once a minute the report is written. */
  async note(event: RecordedEvent): Promise<void> {
    await this.#guarded(async () => {
      this.#record.add(event);
      this.#tabulate(event);
      this.#plot(event);
      if (event.kind === 'start' || event.kind === 'evaluation' || event.kind === 'end') await this.#write();
      else if (event.kind === 'step' && Date.now() - this.#written >= this.#every) await this.#writePage();
    });
  }

  /** The report of a run that an error ended. */
  async failed(error: unknown): Promise<void> {
    this.#notes = { ...this.#notes, failure: error instanceof Error ? error.message : String(error) };
    await this.#guarded(() => this.#write());
  }

  /** What could not be written, once. */
  takeProblem(): string | undefined {
    const problem = this.#problem;
    this.#problem = undefined;
    return problem;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#broken) return;
    try {
      await work();
    } catch (error) {
      this.#broken = true;
      this.#problem = `The report is no longer kept up to date: ${(error as Error).message}. Training goes on; "boxwright report" writes it again.`;
    }
  }

  #tabulate(event: RecordedEvent): void {
    if (event.kind === 'step') this.#steps.append(stepRow(event));
    if (event.kind === 'evaluation') this.#metrics.append(evaluationRow(event));
  }

  #plot(event: RecordedEvent): void {
    const wallTime = Date.now() / 1000;
    if (event.kind === 'step') {
      this.#board.append({ step: event.step, wallTime, values: prefixed('train', stepFigures(event)) });
    }
    if (event.kind === 'evaluation') {
      this.#board.append({ step: event.step, wallTime, values: prefixed('evaluation', evaluationFigures(event)) });
    }
  }

  async #write(): Promise<void> {
    this.#thumbnails = await thumbnailsOf(this.#notes, this.#thumbnails);
    await writeNotes(this.#folder, this.#notes);
    await this.#writePage();
  }

  async #writePage(): Promise<void> {
    const name = basename(resolve(this.#folder));
    this.#written = Date.now();
    await writePageOf(
      this.#folder,
      { name, config: this.#config, record: this.#record, notes: this.#notes },
      this.#thumbnails,
    );
  }
}

/**
 * Writes a run's `report.html` again from its folder.
 *
 * @returns its path.
 * @throws BoxwrightError `io` for a folder without a run, and for what the disk refuses.
 */
export async function writeReport(folder: string): Promise<string> {
  const run = await readRun(folder);
  // Of a run that broke off the page says when that was.
  const { mtime } = await stat(join(folder, 'events.jsonl')).catch(() => ({ mtime: new Date() }));
  return writePageOf(folder, run, await thumbnailsOf(run.notes, new Map()), mtime);
}

async function writePageOf(
  folder: string,
  { name, config, record, notes }: StoredRun,
  thumbnails: ReadonlyMap<string, string | undefined>,
  written = new Date(),
): Promise<string> {
  const path = join(folder, 'report.html');
  await writeFileAtomically(path, runPage({ name, config, record, ...notes, thumbnails, written }));
  return path;
}

/** Small copies of the pictures that are shown; those that were made before are kept. */
async function thumbnailsOf(
  { details }: RunNotes,
  made: ReadonlyMap<string, string | undefined>,
): Promise<Map<string, string | undefined>> {
  const thumbnails = new Map<string, string | undefined>();
  for (const { path } of details?.pictures ?? []) {
    thumbnails.set(path, made.has(path) ? made.get(path) : await addressOf(path));
  }
  return thumbnails;
}

/** Longest side in pixels of the pictures in a report. */
const thumbnailSide = 480;

/** Undefined for a picture that is gone or broken: a report goes without it. */
function addressOf(path: string): Promise<string | undefined> {
  return thumbnail(path, thumbnailSide).then(dataAddress, () => undefined);
}

function stepRow(event: RecordedStep): Record<string, number> {
  return { step: event.step, epoch: event.epoch, ...stepFigures(event) };
}

function evaluationRow(event: RecordedEvaluation): Record<string, number> {
  return { step: event.step, epoch: event.epoch, best: event.best ? 1 : 0, ...evaluationFigures(event) };
}

/** COCO's figures and those by class; what cannot be said is left out. */
function evaluationFigures({ metrics, perClass, seconds }: RecordedEvaluation): Record<string, number> {
  const classes = perClass.flatMap(({ name, AP, AP50 }) => [
    [`AP/${name}`, AP],
    [`AP50/${name}`, AP50],
  ]);
  const known = [...Object.entries(metrics), ...classes].map(([name, value]) => [
    name,
    value === -1 ? Number.NaN : value,
  ]);
  return { ...Object.fromEntries(known), seconds };
}

function prefixed(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  const known = Object.entries(values).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(known.map(([name, value]) => [`${prefix}/${name}`, value]));
}
