import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

const suffix = '_kernel_time';

/** A node that ran: its name begins with the scope that it was written in. */
export interface TracedNode {
  readonly name: string;
  readonly type: string;
}

/** A folder for one trace of the runtime: give `prefix` to `Engine.load`, end the profile, then ask for the shares. */
export class TraceFolder {
  readonly #folder = mkdtempSync(join(tmpdir(), 'boxwright-bench-'));
  readonly prefix = join(this.#folder, 'trace');

  /** Share of the operators' time by operator type, largest first. Removes the folder. */
  shares(): [string, number][] {
    return this.read(({ type }) => type);
  }

  /** Shares of the operators' time by what `key` says of a node, largest first. Removes the folder. */
  read(key: (node: TracedNode) => string): [string, number][] {
    const [file] = readdirSync(this.#folder);
    const events = JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as TraceEvent[];
    rmSync(this.#folder, { recursive: true });
    const byKey = new Map<string, number>();
    let total = 0;
    for (const { cat, name, dur, args } of events) {
      if (cat !== 'Node' || !name.endsWith(suffix) || !args?.op_name) continue;
      const own = key({ name: name.slice(0, -suffix.length), type: args.op_name });
      byKey.set(own, (byKey.get(own) ?? 0) + dur);
      total += dur;
    }
    return [...byKey].map(([own, time]): [string, number] => [own, time / total]).sort((a, b) => b[1] - a[1]);
  }
}
