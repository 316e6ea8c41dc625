import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { version } from '../../version.js';

/** What a run was computed on. */
export interface Environment {
  readonly boxwright: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly provider: string;
  /** Threads of one operator; 0 is as many as ONNX Runtime finds cores. */
  readonly threads: number;
  /** When the run, or its last part, began; ISO 8601. */
  readonly began: string;
}

/** @param threads 0 for the default, all cores. */
export function currentEnvironment(provider: string, threads: number): Environment {
  const runtime = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return {
    boxwright: version,
    node: process.version,
    onnxruntime: runtime.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    provider,
    threads,
    began: new Date().toISOString(),
  };
}

/** Most memory that this process had so far, in bytes. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}
