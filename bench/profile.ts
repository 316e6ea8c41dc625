import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** A folder for one trace of the runtime: give `prefix` to `Engine.load`, end the profile, then ask for the shares. */
export class TraceFolder {
  readonly #folder = mkdtempSync(join(tmpdir(), 'boxwright-bench-'));
  readonly prefix = join(this.#folder, 'trace');

  /** Share of the operators' time by operator type, largest first. Removes the folder. */
  shares(): [string, number][] {
    const [file] = readdirSync(this.#folder);
    const events = JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as TraceEvent[];
    rmSync(this.#folder, { recursive: true });
    const byType = new Map<string, number>();
    let total = 0;
    for (const { cat, name, dur, args } of events) {
      if (cat !== 'Node' || !name.endsWith('_kernel_time') || !args?.op_name) continue;
      byType.set(args.op_name, (byType.get(args.op_name) ?? 0) + dur);
      total += dur;
    }
    return [...byType].map(([type, time]): [string, number] => [type, time / total]).sort((a, b) => b[1] - a[1]);
  }
}
