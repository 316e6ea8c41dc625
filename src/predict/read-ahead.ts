import { BoxwrightError } from '../errors.js';

/**
 * The same items in the same order, while up to `count` more are being made. An error comes when its item's turn does.
 * Leaving early closes the source, without waiting for an item that it is still making.
 */
export async function* readAhead<T>(source: AsyncGenerator<T>, count: number): AsyncGenerator<T, void, undefined> {
  const queue: Promise<IteratorResult<T>>[] = [];
  const ask = () => {
    const next = source.next(); // a generator answers calls in turn
    next.catch(() => {});
    queue.push(next);
  };
  try {
    for (let i = 0; i <= count; i++) ask();
    for (;;) {
      const { done, value } = await queue.shift()!;
      if (done) return;
      ask();
      yield value;
    }
  } finally {
    source.return(undefined).catch(() => {});
  }
}

/**
 * `promise`, or an error as soon as the signal says so.
 *
 * @throws BoxwrightError `aborted`
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  promise.catch(() => {});
  throwIfAborted(signal);
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortError(signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop!);
  }
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

function abortError(signal: AbortSignal): BoxwrightError {
  return new BoxwrightError('aborted', 'Detection was stopped by its signal.', { cause: signal.reason });
}
