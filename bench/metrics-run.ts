// One evaluation in a process of its own: metrics-run.js TRUTH RESULTS prints what bench/metrics.ts reads.
import { summarise } from '../src/evaluate/coco/coco.js';
import { cocoData, readCocoResults } from '../src/evaluate/coco/coco-results-file.js';
import { cocoTables } from '../src/evaluate/coco/coco-tables.js';
import { readCocoTruth } from '../src/evaluate/coco/coco-truth-file.js';
import { version } from '../src/version.js';
import { peakMemory } from './peak-memory.js';

/** Processor seconds of all threads since `start`, the compiler's and the collector's included. */
function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

const [truthFile, resultsFile] = process.argv.slice(2);
const started = process.cpuUsage();
const truth = await readCocoTruth(truthFile);
const data = cocoData(truth, await readCocoResults(resultsFile, truth));
const read = cpuSince(started);
const [start, clock] = [process.cpuUsage(), performance.now()];
const tables = cocoTables(data);
const [cpu, wall] = [cpuSince(start), (performance.now() - clock) / 1000];
const peak = peakMemory() / 2 ** 20;
const ap = summarise(tables).coco.AP;
console.log(JSON.stringify({ version: `${version} (Node ${process.versions.node})`, read, cpu, wall, peak, ap }));
