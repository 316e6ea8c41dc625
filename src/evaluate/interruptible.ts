import { setImmediate } from 'node:timers/promises';
import { BoxwrightError } from '../errors.js';

/** Milliseconds of work between pauses: Ctrl-C is heard at once, and the pauses cost nothing to speak of. */
const turn = 20;

/**
 * For long work on this thread: a function to await between two pieces of it, which lets the event loop turn now and
 * then, since a signal could not come otherwise.
 *
 * @param what that is stopped, for the error.
 * @returns throws BoxwrightError `aborted` once the signal says so.
 */
export function interruptible(what: string, signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last >= turn) {
      await setImmediate();
      last = performance.now();
    }
    if (signal?.aborted)
      throw new BoxwrightError('aborted', `${what} was stopped by its signal.`, { cause: signal.reason });
  };
}
