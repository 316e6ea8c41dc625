// The peer: RefineDet-VGG16-320 in PyTorch, run by a Python that the environment names.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface PeerResult {
  readonly best: number;
  readonly median: number;
  /** Largest resident memory, MiB. */
  readonly peakMemory: number;
}

const script = fileURLToPath(new URL('../../../shared/peers/refinedet_torch.py', import.meta.url));

/** Runs the peer once and reads its line, its largest memory too. */
const wrapper = `
import resource, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
`;

/** Why there is no peer, or undefined if there is one. */
export function peerAbsent(): string | undefined {
  if (!process.env.BOXWRIGHT_PEERS_PYTHON)
    return 'No comparison with PyTorch: set BOXWRIGHT_PEERS_PYTHON to a Python that has torch.';
  return existsSync(script) ? undefined : 'No comparison with PyTorch: ../shared/peers is not there.';
}

/** Times in milliseconds of PyTorch with channels-last, its fastest here. Undefined if it fails. */
export function runPeer(mode: 'train' | 'infer', batch: number, repeats: number): PeerResult | undefined {
  const args = ['-c', wrapper, script, mode, `${batch}`, `${repeats}`, 'cl'];
  const { status, stdout, stderr } = spawnSync(process.env.BOXWRIGHT_PEERS_PYTHON!, args, { encoding: 'utf8' });
  if (status !== 0) {
    console.error(`The peer failed:\n${stderr}`);
    return undefined;
  }
  const line = JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.indexOf('}') + 1)) as Record<string, number>;
  const peak = Number(/PEAK (\d+)/.exec(stdout)?.[1] ?? Number.NaN);
  return { best: line.min_s * 1000, median: line.median_s * 1000, peakMemory: peak / 1024 };
}
