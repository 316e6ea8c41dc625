// The peers in PyTorch, run by a Python that the environment names.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface PeerResult {
  readonly best: number;
  readonly median: number;
  /** Largest resident memory, MiB. */
  readonly peakMemory: number;
  /** Floating-point operations of a run, two a multiply-add, where they were counted (times are of no use then). */
  readonly operations?: number;
  /** RoIs that went through the heads in the last run, if there were any. */
  readonly rois?: number;
}

/** One of the scripts, by its name, and how it is to run. */
export interface PeerRun {
  readonly script: 'refinedet_torch' | 'tv_faster_rcnn';
  readonly mode: 'train' | 'infer';
  readonly batch: number;
  /** Runs, of which the first does not count. */
  readonly repeats: number;
  /** Further words for the script. */
  readonly options?: readonly string[];
  /** Batch norm keeps its statistics and weights, as it does with pretrained ones. */
  readonly frozenNorm?: boolean;
  /** Count operations, not time. */
  readonly count?: boolean;
}

/** Runs a script once and adds what it does not print itself: largest memory, RoIs, operations. */
const wrapper = `
import contextlib, resource, runpy, sys
options, sys.argv = sys.argv[1].split(','), sys.argv[2:]
import torch
rois = []
if 'frozen-norm' in options:
    from torchvision.ops.misc import FrozenBatchNorm2d
    torch.nn.BatchNorm2d = FrozenBatchNorm2d
if 'rois' in options:
    from torchvision.ops import MultiScaleRoIAlign
    pool = MultiScaleRoIAlign.forward
    def counted(self, x, boxes, sizes):
        rois.append(sum(len(own) for own in boxes))
        return pool(self, x, boxes, sizes)
    MultiScaleRoIAlign.forward = counted
counter = contextlib.nullcontext()
if 'count' in options:
    from torch.utils.flop_counter import FlopCounterMode
    counter = FlopCounterMode(display=False)
with counter:
    runpy.run_path(sys.argv[0], run_name='__main__')
if 'count' in options: print('OPERATIONS', counter.get_total_flops() / int(sys.argv[3]))
if rois: print('ROIS', rois[-1])
print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
`;

const scriptFile = (script: PeerRun['script']) =>
  fileURLToPath(new URL(`../../../shared/peers/${script}.py`, import.meta.url));

/** Why there is no peer, or undefined if there is one. */
export function peerAbsent(script: PeerRun['script']): string | undefined {
  if (!process.env.BOXWRIGHT_PEERS_PYTHON)
    return 'No comparison with PyTorch: set BOXWRIGHT_PEERS_PYTHON to a Python that has torch.';
  return existsSync(scriptFile(script)) ? undefined : 'No comparison with PyTorch: ../shared/peers is not there.';
}

/** Times in milliseconds of PyTorch. Undefined if it fails. */
export function runPeer({ script, mode, batch, repeats, options = [], ...rest }: PeerRun): PeerResult | undefined {
  const extra = [rest.frozenNorm && 'frozen-norm', rest.count && 'count', script === 'tv_faster_rcnn' && 'rois'];
  const own = [mode, `${batch}`, `${repeats}`, ...options];
  const args = ['-c', wrapper, extra.filter(Boolean).join(), scriptFile(script), ...own];
  const { status, stdout, stderr } = spawnSync(process.env.BOXWRIGHT_PEERS_PYTHON!, args, { encoding: 'utf8' });
  if (status !== 0) {
    console.error(`The peer failed:\n${stderr}`);
    return undefined;
  }
  const line = JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.indexOf('}') + 1)) as Record<string, number>;
  const after = (word: string) => Number(new RegExp(`${word} (\\S+)`).exec(stdout)?.[1] ?? Number.NaN);
  const finite = (value: number) => (Number.isNaN(value) ? undefined : value);
  return {
    best: line.min_s * 1000,
    median: line.median_s * 1000,
    peakMemory: after('PEAK') / 1024,
    operations: finite(after('OPERATIONS')),
    rois: finite(after('ROIS')),
  };
}
