import { readFileSync } from 'node:fs';

/** Largest resident memory of this process so far, bytes (Linux). */
export function peakMemory(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}
