import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A test, or `{ after }` of node:test, which stands for all tests of a file. */
export interface Scope {
  after(end: () => Promise<void>): void;
}

/** A new folder, which goes when the test is over, or when all tests of the file are. */
export async function temporaryFolder(scope: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'boxwright-test-'));
  scope.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The same for as long as `use` takes. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'boxwright-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
