// npm run bench -- conv [filter] | step | inference | roi-align | cascade [part] | models | data [folder] |
// metrics [growth] | memory | weights [format]. What it prints goes to docs/benchmarks.md.
import { benchCascade } from './cascade.js';
import { benchConv } from './conv.js';
import { benchData } from './data.js';
import { benchInference } from './inference.js';
import { benchMemory } from './memory.js';
import { benchMetrics } from './metrics.js';
import { benchModels } from './models.js';
import { benchRoiAlign } from './roi-align.js';
import { benchStep } from './step.js';
import { benchWeights } from './weights.js';

const benches: Readonly<Record<string, (argument?: string) => Promise<void>>> = {
  conv: (filter) => benchConv(Number(process.env.REPEATS ?? 9), filter),
  step: (batch) => benchStep(Number(process.env.REPEATS ?? 3), Number(batch ?? 4)),
  inference: () => benchInference(Number(process.env.REPEATS ?? 3)),
  'roi-align': () => benchRoiAlign(Number(process.env.REPEATS ?? 9)),
  cascade: async (which) => benchCascade(Number(process.env.REPEATS ?? 2), which),
  models: (part) => benchModels(Number(process.env.REPEATS ?? 5), part),
  data: (folder) => benchData(Number(process.env.REPEATS ?? 5), folder ?? '../shared/data/bccd'),
  metrics: (which) => benchMetrics(Number(process.env.REPEATS ?? 5), which),
  weights: (format) => benchWeights(Number(process.env.REPEATS ?? 5), format),
  memory: (steps) => benchMemory(Number(steps ?? 300), 4),
};

const [name, argument] = process.argv.slice(2);
const bench = name === undefined ? undefined : benches[name];
if (bench) await bench(argument);
else {
  console.error(`Which one: ${Object.keys(benches).join(', ')}? (npm run bench -- conv)`);
  process.exitCode = 1;
}
