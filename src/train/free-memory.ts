import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';

/** What a system says of its memory, in bytes. */
export interface SystemMemory {
  readonly platform: NodeJS.Platform;
  readonly total: number;
  /** On Linux with what the system's caches would give back. */
  readonly free: number;
  /** Limit of the process's container, or what the system has, or 0 where there is none. */
  readonly limit: number;
  /** As Node knows it: within a limit, what is left of it. */
  readonly left: number;
  /** Files in the container's memory, which it counts as used and would give back. */
  readonly cached: number;
  /** What this process has already. */
  readonly own: number;
}

/** Bytes that this process may take in all. */
export function availableMemory(system: SystemMemory = systemMemory()): number {
  const { platform, total, free, limit, left, cached, own } = system;
  // What macOS calls free leaves out what it would give back at once.
  if (platform === 'darwin') return Math.max(free, total / 2) + own;
  const limited = limit > 0 && limit < total ? Math.min(free, left + cached) : free;
  return limited + own;
}

function systemMemory(): SystemMemory {
  return {
    platform: process.platform,
    total: totalmem(),
    free: freemem(),
    limit: process.constrainedMemory(),
    left: process.availableMemory(),
    cached: cachedBytes(),
    own: process.memoryUsage.rss(),
  };
}

/** Of the process's control group (Linux, version 2 or 1); 0 where nothing is told. */
function cachedBytes(): number {
  const own = /^0::(.*)$/m.exec(read('/proc/self/cgroup'))?.[1] ?? '';
  const files = [join('/sys/fs/cgroup', own), '/sys/fs/cgroup', '/sys/fs/cgroup/memory'];
  const stat = files.map((folder) => read(join(folder, 'memory.stat'))).find((text) => text !== '') ?? '';
  return cachedIn(stat);
}

/** Bytes of files in a control group's `memory.stat`. */
export function cachedIn(stat: string): number {
  // Version 1 has the group's own files, and in total_… those of the groups within it too.
  const of = (name: string) => new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1];
  const bytes = (name: string) => Number(of(`total_${name}`) ?? of(name) ?? 0);
  return bytes('active_file') + bytes('inactive_file');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
