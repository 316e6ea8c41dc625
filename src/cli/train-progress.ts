import { duration } from '../report/page/duration.js';
import { percent } from '../report/page/fractions.js';
import type { TrainEvent } from '../train/events.js';
import type { Terminal } from './terminal.js';

/** Characters up to which values of a plan stand in a column. */
const widest = 24;
/** Milliseconds between lines where nobody watches a terminal. */
const logEvery = 15_000;

/** Shows a run: a line that moves on a terminal, a line now and then in a log, and a line an evaluation. */
export class TrainProgress {
  readonly #terminal: Terminal;
  #lastLog = 0;
  #steps = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async show(event: TrainEvent): Promise<void> {
    switch (event.kind) {
      case 'start':
        return this.#start(event);
      case 'plan':
        return this.#plan(event);
      case 'warning':
        return this.#terminal.warn(event.message);
      case 'step':
        return this.#step(event);
      case 'evaluation':
        return this.#evaluation(event);
      case 'end':
        return this.#end(event);
      case 'checkpoint':
        return undefined;
    }
  }

  #start({
    run,
    config,
    pictures,
    trained,
    parameters,
    dataNote,
    advice,
    weightsNote,
    resumedAt,
  }: Extract<TrainEvent, { kind: 'start' }>): void {
    const { model, classes, epochs, batch, optimizer, learningRate } = config;
    const million = (count: number) => `${(count / 1e6).toFixed(1)} M`;
    this.#terminal.note(`${model}: ${million(parameters)} parameters, ${million(trained)} of them trained`);
    if (dataNote) this.#terminal.note(`${config.data}: ${dataNote}`);
    this.#terminal.note(
      `${pictures.train} pictures to learn from, ${pictures.val} to judge by; classes: ${classes.join(', ')}`,
    );
    this.#terminal.note(`${epochs} epochs in batches of ${batch}, ${optimizer.kind}, learning rate ${learningRate}`);
    for (const message of advice) this.#terminal.note(`${this.#terminal.onStderr('yellow', 'hint:')} ${message}`);
    if (weightsNote) this.#terminal.note(weightsNote);
    this.#terminal.note(resumedAt ? `Going on with ${run} at step ${resumedAt}` : `Run: ${run}`);
  }

  #plan({ choices }: Extract<TrainEvent, { kind: 'plan' }>): void {
    const rows = choices.map(({ setting, value, why }) => [optionOf(setting), value, why]);
    const widths = [0, 1].map((column) =>
      Math.max(...rows.map((row) => (row[column].length > widest ? 0 : row[column].length))),
    );
    this.#terminal.note('Chosen, as nothing was given:');
    for (const [option, value, why] of rows)
      this.#terminal.note(
        `  ${option.padEnd(widths[0])} ${value.padEnd(widths[1])}  ${this.#terminal.onStderr('dim', why)}`,
      );
  }

  #step(event: Extract<TrainEvent, { kind: 'step' }>): void {
    // The first step sets up the engine's memory as well: hours would seem to be left of a run of minutes.
    const line = stepLine(event, ++this.#steps > 1);
    this.#terminal.progress(line, event.step / event.steps);
    if (process.stderr.isTTY || performance.now() - this.#lastLog < logEvery) return;
    this.#lastLog = performance.now();
    this.#terminal.note(line);
  }

  async #evaluation({ epoch, metrics, perClass, best }: Extract<TrainEvent, { kind: 'evaluation' }>): Promise<void> {
    const figures = `AP ${percent(metrics.AP)}  AP50 ${percent(metrics.AP50)}  AP75 ${percent(metrics.AP75)}`;
    const classes = perClass.map(({ name, AP50 }) => `${name} ${percent(AP50)}`);
    const shown = classes.slice(0, 6).join(', ') + (classes.length > 6 ? ', …' : '');
    await this.#terminal.print(`epoch ${epoch}  ${figures}${best ? '  (best so far)' : ''}`);
    await this.#terminal.print(`  AP50 by class: ${shown}`);
  }

  async #end({ reason, run, seconds, waiting, broken, best }: Extract<TrainEvent, { kind: 'end' }>): Promise<void> {
    if (broken) this.#terminal.warn(`${broken} pictures could not be decoded and were replaced by others.`);
    const result = best ? `best AP ${percent(best.AP)}, AP50 ${percent(best.AP50)}` : 'not evaluated yet';
    const time = `${duration(seconds)}, ${percent(waiting)} % of the steps' time waiting for pictures`;
    await this.#terminal.print(`${reason === 'stopped' ? 'Stopped' : 'Done'}: ${result} (${time})`);
    await this.#terminal.print(`Run: ${run}, with report.html`);
    if (reason === 'stopped') this.#terminal.note(`Go on with: boxwright train --resume --out ${run}`);
  }
}

/** The option that overrules a choice. */
function optionOf(setting: string): string {
  return `--${setting === 'learningRate' ? 'lr' : setting}`;
}

function stepLine(
  { epoch, step, steps, loss, losses, picturesPerSecond, waiting, secondsLeft }: Extract<TrainEvent, { kind: 'step' }>,
  isPaced: boolean,
): string {
  const parts = Object.entries(losses).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  const left = isPaced ? `  ${duration(secondsLeft)} left` : '';
  const pace = isPaced ? `  ${picturesPerSecond.toFixed(1)} pictures/s, waiting ${percent(waiting)} %` : '';
  // What matters most comes first: a narrow terminal cuts the line.
  return `epoch ${epoch}  ${step}/${steps}${left}  loss ${loss.toFixed(2)} (${parts.join(', ')})${pace}`;
}
