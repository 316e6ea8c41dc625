import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The folder of shared real data and goldens beside the repository, or undefined where there is none.
 * This file runs as build/test/shared.js, two folders below the repository's root.
 */
const root = process.env.BOXWRIGHT_SHARED ?? fileURLToPath(new URL('../../../shared/', import.meta.url));

/** Path of something in ../shared, or undefined if it is not there. */
export function shared(path: string): string | undefined {
  const whole = `${root.replace(/\/$/, '')}/${path}`;
  return existsSync(whole) ? whole : undefined;
}

/** node:test's `skip` option for a test that reads `path` of ../shared: a clear line where it is absent. */
export function needs(path: string): { skip: string | false } {
  return { skip: shared(path) ? false : `needs ../shared/${path}, which is not here` };
}

/** Whether slow cases are wanted beside those that show the same in less time: `npm run test:full`. */
export const full = process.env.BOXWRIGHT_FULL_TESTS === '1';
