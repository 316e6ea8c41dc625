import type { PullProgress } from '../hub/progress.js';
import { duration } from '../report/page/duration.js';
import { megabytes } from './sizes.js';
import type { Terminal } from './terminal.js';

/** Milliseconds between lines where nobody watches a terminal. */
const logEvery = 15_000;

/** Shows a download: a line that moves on a terminal, a line now and then in a log. */
export function pullProgress(terminal: Terminal): (progress: PullProgress) => void {
  let lastLog = performance.now();
  const moving = (line: string, share?: number) => {
    terminal.progress(line, share);
    if (process.stderr.isTTY || performance.now() - lastLog < logEvery) return;
    lastLog = performance.now();
    terminal.note(line);
  };
  return (progress) => {
    const { kind, name } = progress;
    switch (kind) {
      case 'waiting':
        return terminal.note(`${name}: another process is downloading it; waiting for that one.`);
      case 'checking':
        return moving(
          `${name}: checking ${megabytes(progress.done)} of ${megabytes(progress.total)}`,
          progress.done / progress.total,
        );
      case 'downloading':
        return moving(
          `${name}: ${downloadLine(progress)}`,
          progress.total === undefined ? undefined : progress.received / progress.total,
        );
      case 'retrying':
        return terminal.warn(`${name}: ${progress.reason}; trying again from ${megabytes(progress.received)}.`);
      case 'restarting':
        return terminal.warn(
          `${name}: the server cannot go on behind the first ${megabytes(progress.dropped)}; from the start again.`,
        );
      case 'done':
        return terminal.note(`${name}: ${megabytes(progress.bytes)} downloaded, checksum right`);
    }
  };
}

function downloadLine({
  received,
  total,
  bytesPerSecond,
  secondsLeft,
}: Extract<PullProgress, { kind: 'downloading' }>): string {
  const size = total === undefined ? megabytes(received) : `${megabytes(received)} of ${megabytes(total)}`;
  const left = secondsLeft === undefined ? '' : `  ${duration(secondsLeft)} left`;
  return `${size}  ${megabytes(bytesPerSecond)}/s${left}`;
}
