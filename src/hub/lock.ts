import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError } from '../errors.js';
import { writeError } from '../weights/atomic-file.js';

/** How a lock is waited for and held. */
export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once, when another one is found to hold the lock. */
  readonly onWait?: () => void;
  /** Milliseconds between two signs of life of the holder. */
  readonly beat?: number;
  /** Milliseconds without a sign of life after which a holder counts as dead; several beats. */
  readonly patience?: number;
}

/** A lock that is held. */
export interface Lock extends AsyncDisposable {
  /** Aborted if another process took the lock, because this one had stood still for too long. */
  readonly lost: AbortSignal;
}

/** Who holds a lock, as its file says. */
interface Holder {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
}

/**
 * Waits until no other process, nor another caller in this one, holds the lock file at `path`, and takes it.
 *
 * The holder touches the file again and again. One that does not, or whose process is gone from this machine, is dead: its
 * lock is taken over. How long a file has not been touched is measured by watching, not by comparing clocks, which differ
 * between machines that share a folder.
 *
 * @throws BoxwrightError `aborted` when the signal ends the wait; `io` if the folder cannot be written, or something else
 *   than a file is in the lock's place.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const { signal, beat = 2_000, patience = 20_000 } = options;
  const own: Holder = { token: randomBytes(8).toString('hex'), host: hostname(), pid: process.pid };
  let waited = false;
  let watched: { token?: string; touched: number; since: number } | undefined;
  while (!(await create(path, own))) {
    if (!waited) options.onWait?.();
    waited = true;
    const found = await look(path);
    if (!found) continue; // given back meanwhile
    const { holder, touched } = found;
    if (watched?.touched !== touched || watched.token !== holder?.token)
      watched = { token: holder?.token, touched, since: performance.now() };
    if (isGone(holder) || performance.now() - watched.since > patience) {
      if (await takeOver(path, own, beat)) break;
      continue;
    }
    await pause(Math.min(250, beat), signal);
  }
  return hold(path, own, beat);
}

async function create(path: string, own: Holder): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(JSON.stringify(own));
    } catch (cause) {
      await rm(path, { force: true }).catch(() => {}); // nobody would know whose it is, and all would wait for it
      throw cause;
    } finally {
      await file.close();
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeError(path, cause);
  }
}

/** The holder is unknown while it writes the file, or if it died in the act. */
async function look(path: string): Promise<{ holder?: Holder; touched: number } | undefined> {
  try {
    const about = await lstat(path); // a link may lead nowhere, which would look like a lock given back, for ever
    if (!about.isFile()) {
      const found = about.isSymbolicLink() ? 'a symbolic link' : 'no file';
      throw new BoxwrightError('io', `${path}: expected the file of a lock, found ${found}; remove it.`);
    }
    const text = await readFile(path, 'utf8');
    return { holder: parseHolder(text), touched: about.mtimeMs };
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new BoxwrightError('io', `cannot read the lock ${path}: ${(cause as Error).message}`, { cause });
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { token, host, pid } = JSON.parse(text) as Partial<Holder>;
    return typeof token === 'string' && typeof host === 'string' && typeof pid === 'number'
      ? { token, host, pid }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the holder was a process of this machine that is no more. */
function isGone(holder: Holder | undefined): boolean {
  if (!holder || holder.host !== hostname() || holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ESRCH'; // EPERM: somebody else's, but alive
  }
}

/** Puts the own lock in the place of a dead one. Of several that do so at once the last one has it: each looks again. */
async function takeOver(path: string, own: Holder, settle: number): Promise<boolean> {
  const temporary = `${path}.${own.token}`;
  try {
    await writeFile(temporary, JSON.stringify(own));
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw writeError(path, cause);
  }
  await sleep(Math.min(settle, 500));
  return (await look(path))?.holder?.token === own.token;
}

function hold(path: string, own: Holder, beat: number): Lock {
  const lost = new AbortController();
  const isOwn = async () => (await look(path))?.holder?.token === own.token;
  const timer = setInterval(async () => {
    try {
      if (!(await isOwn())) return lost.abort();
      const now = new Date();
      await utimes(path, now, now);
    } catch {
      // A folder that cannot be reached at the moment; the next beat tries again.
    }
  }, beat);
  timer.unref();
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      if (await isOwn().catch(() => false)) await rm(path, { force: true }).catch(() => {});
    },
  };
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((cause) => {
    throw new BoxwrightError('aborted', 'Waiting for another download was stopped by its signal.', { cause });
  });
}
