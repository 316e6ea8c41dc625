// Packs the package, lets publint and "are the types wrong" look at it, installs it into an empty project as a user would,
// and uses it: the command line, every export at run time, and every export's types under a strict compiler.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root } from './build.mjs';

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const folder = mkdtempSync(join(tmpdir(), 'boxwright-smoke-'));
// As README says where there is no CUDA: the tests' machines may not reach the server of its libraries.
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();

const check = `
import { createRequire } from 'node:module';
import { BoxwrightError, Detector, exportOnnx, modelNames, version, type PictureDetections } from 'boxwright';
import { train, type TrainEvent } from 'boxwright/train';
import { CocoEvaluator, type CocoMetrics, type EvaluatedDetector, evaluate } from 'boxwright/evaluate';
import { compareRuns, writeReport } from 'boxwright/report';
import { openDataset, type Dataset } from 'boxwright/data';
import { cards, pull, type Card, type PullProgress } from 'boxwright/hub';
import { conv2d, gradient, input, reduceMean, type Value } from 'boxwright/graph';
import { Engine, writeLowered, type Session } from 'boxwright/engine';
import { Parameters, conv, trainingStep, type TrainingStep } from 'boxwright/nn';
import { Detector as PageDetector } from 'boxwright/browser';

const load: (source: string) => Promise<Detector> = Detector.load;
const inPage: (source: Blob) => Promise<PageDetector> = PageDetector.load;
const progress: PullProgress[] = [];
const known: readonly Card[] = cards();
const unknown: string = await pull('no_such_card', { onProgress: (step) => progress.push(step) }).then(({ path }) => path, (error: unknown) => {
  if (!(error instanceof BoxwrightError)) throw error;
  return error.code;
});
const found: PictureDetections[] = [];
const judged = (detector: Detector) => evaluate(detector satisfies EvaluatedDetector, 'pictures');
const events = (): AsyncGenerator<TrainEvent> => train({ model: modelNames[0], data: 'pictures' });
const opened: Promise<Dataset> = openDataset('nowhere').catch((error: unknown) => {
  if (!(error instanceof BoxwrightError) || error.code !== 'data') throw error;
  return { name: '', format: 'coco', classes: [], images: [], problems: [] };
});
const metrics: CocoMetrics = new CocoEvaluator({ classes: ['cat'] }).result().coco;
const x: Value = input('x', 'float32', [1, 1, 4, 4]);
const p = new Parameters({ training: true });
const y = conv(p, 'edges', x, { out: 1, kernel: 3, bias: false });
const sgd = { kind: 'sgd', momentum: 0, weightDecay: 0 } as const;
const step: TrainingStep = trainingStep(p, { total: reduceMean(y), parts: {} }, { optimizer: sgd });
const engine = await Engine.start({ threads: 1 });
const session: Session = await engine.load(writeLowered({ name: 'y', outputs: { y } }, { provider: 'cpu', form: 'fast' }).bytes);
const feed = (shape: number[], value: number) => ({ dtype: 'float32' as const, shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(value) });
const sums = await session.run({ x: feed([1, 1, 4, 4], 2), 'edges.weight': feed([1, 1, 3, 3], 1) });
await engine.dispose();
await opened;
const { title: schema } = createRequire(import.meta.url)('boxwright/schemas/eval.json') as { title: string };
console.log(JSON.stringify({ version, schema, cards: known.length, unknown, functions: [load, inPage, events, judged, compareRuns, writeReport, exportOnnx, conv2d, gradient].every((f) => typeof f === 'function'), found, AP: metrics.AP, rank: x.rank, trained: step.trained.length, sums: [...sums.y.data].map(Number) }));
`;

// What a bundler for browsers finds under the package's own name, without Node's types.
const page = `
import { BoxwrightError, Detector } from 'boxwright';
const found = (image: HTMLImageElement): Promise<Detector> => Detector.load('model.onnx', { provider: 'webgpu' });
export const look = async (canvas: OffscreenCanvas, image: HTMLImageElement) => (await found(image)).detect([canvas, image]);
export const code = (error: BoxwrightError) => error.code;
`;

try {
  const [{ filename }] = JSON.parse(
    run(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  );
  await checkTarball(readFileSync(join(folder, filename)));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'smoke', private: true, type: 'module' }));
  run(npm, ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${filename}`]);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expectEqual('boxwright --version', run('npx', ['--no-install', 'boxwright', '--version']), version);
  const help = run('npx', ['--no-install', 'boxwright', '--help']);
  for (const command of ['demo', 'train', 'eval', 'detect', 'export', 'pull']) {
    if (!new RegExp(`^ +${command} `, 'm').test(help)) throw new Error(`boxwright --help does not mention ${command}`);
  }
  writeFileSync(join(folder, 'check.ts'), check);
  // With --skipLibCheck off: the package's own declarations are checked, too.
  const options = '--strict --target es2023 --lib es2023,esnext.disposable,dom --module nodenext --types node';
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const roots = ['--typeRoots', join(root, 'node_modules/@types')];
  run(process.execPath, [compiler, ...options.split(' '), ...roots, '--outDir', 'out', 'check.ts']);
  writeFileSync(join(folder, 'page.ts'), page);
  const bundling =
    '--strict --target es2023 --lib es2023,esnext.disposable,dom --module esnext --moduleResolution bundler';
  const forPages = ['--customConditions', 'browser', '--types', '', '--noEmit'];
  run(process.execPath, [compiler, ...bundling.split(' '), ...forPages, 'page.ts']);
  const said = JSON.parse(run(process.execPath, ['out/check.js']));
  expectEqual(
    'what the exports give',
    JSON.stringify(said),
    JSON.stringify({
      version,
      schema: 'boxwright eval --json',
      cards: 2,
      unknown: 'model',
      functions: true,
      found: [],
      AP: -1,
      rank: 4,
      trained: 1,
      sums: [18, 18, 18, 18],
    }),
  );
  console.log(`The packed package works: ${filename}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function checkTarball(bytes) {
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
  expectEqual('publint', messages.map((message) => formatMessage(message, pkg)).join('\n'), '');
  const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)));
  // The package is ESM only: resolution for CommonJS and for Node 10 finds nothing, as it should.
  const foreign = ['node10', 'node16-cjs'];
  const own = problems.filter(({ resolutionKind }) => !foreign.includes(resolutionKind));
  expectEqual('types', JSON.stringify(own, undefined, 2), '[]');
}

function expectEqual(what, found, expected) {
  if (found !== expected) throw new Error(`${what}: ${found}, expected ${expected}`);
}
