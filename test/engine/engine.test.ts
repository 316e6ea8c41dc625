import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { availableProviders, Engine, type Session } from '../../src/engine/engine.js';
import * as g from '../../src/graph/index.js';
import { writeOnnx } from '../../src/graph/onnx/write.js';
import { floats, integers, numbersOf, pseudo } from '../graph/harness.js';
import { temporaryFolder } from '../temporary-folder.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 1 });
});
after(() => engine.dispose());

const load = (outputs: Record<string, g.Value>, on = engine): Promise<Session> =>
  on.load(writeOnnx({ name: 't', outputs }).bytes);

const size = 1024;
/** About half a second of matrix products. */
function heavy(): Record<string, g.Value> {
  const x = g.input('x', 'float32', [size, size]);
  let y = x;
  for (let i = 0; i < 12; i++) y = g.matMul(y, x);
  return { y: g.reduceSum(y) };
}
const matrix = (): g.Tensor<'float32'> => ({
  dtype: 'float32',
  shape: [size, size],
  data: pseudo(size * size, 1).map((value) => value / size),
});

test('the event loop stays free during a run', async () => {
  const session = await load(heavy());
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const start = performance.now();
  await session.run({ x: matrix() });
  clearInterval(timer);
  const elapsed = performance.now() - start;
  assert.ok(elapsed > 50, `the run took only ${elapsed} ms: too short to tell`);
  assert.ok(ticks > elapsed / 5 / 4, `${ticks} ticks of 5 ms in ${elapsed} ms`);
});

test('an operator that fails is named by its scope', async () => {
  const x = g.input('x', 'float32', [4, 3]);
  const i = g.input('i', 'int64', ['count']);
  const session = await load({ y: g.scope('head', () => g.scope('stage 2', () => g.gather(x, i))) });
  const feeds = { x: floats([4, 3], Array(12).fill(1)), i: integers([1], [4]) };
  await assert.rejects(session.run(feeds), {
    name: 'BoxwrightError',
    code: 'engine',
    message: /^At head\/stage 2\/Gather: indices element out of data bounds, idx=4/,
  });
  const again = await session.run({ ...feeds, i: integers([2], [3, 0]) });
  assert.equal(again.y.shape[0], 2, 'the session still works');
  const free = g.input('x', 'float32', ['n', 3]);
  const rows = await load({ y: g.scope('neck', () => g.reshape(free, [4, -1])) });
  await assert.rejects(rows.run({ x: floats([2, 3], Array(6).fill(1)) }), { message: /^At neck\/Reshape: .*\{2,3\}/ });
});

test('boxes that are no numbers are told of with where they may come from', async () => {
  const rois = g.input('rois', 'float32', ['n', 4]);
  const x = g.input('x', 'float32', [1, 1, 4, 4]);
  const pictures = g.input('pictures', 'int64', ['n']);
  const session = await load({ y: g.roiAlign(x, rois, pictures, { size: [2, 2], sampling: 1, scale: 1 }) });
  const feeds = { x: floats([1, 1, 4, 4], Array(16).fill(1)), pictures: integers([1], [0]) };
  await assert.rejects(session.run({ ...feeds, rois: floats([1, 4], [0, 0, Number.NaN, 2]) }), {
    code: 'engine',
    message: /must be finite\. NaN or infinity came from before: are the weights damaged\?$/,
  });
});

test('feeds that do not fit are named', async () => {
  const [a, b] = [g.input('a', 'float32', ['n', 2]), g.input('b', 'int64', [1])];
  const session = await load({ y: g.add(a, g.cast(b, 'float32')) });
  assert.deepEqual(session.inputTypes.get('a'), { dtype: 'float32', shape: ['n', 2] });
  const good = { a: floats([1, 2], [1, 2]), b: integers([1], [1]) };
  const wrong: [g.Tensor | undefined, RegExp][] = [
    [undefined, /missing: a/],
    [integers([1, 2], [1, 2]), /"a" is int64\[1, 2\], the model wants float32\[n, 2\]/],
    [floats([1, 3], [1, 2, 3]), /"a" is float32\[1, 3\], the model wants float32\[n, 2\]/],
    [floats([2], [1, 2]), /"a" is float32\[2\]/],
    [floats([2, 2], [1, 2]), /"a" has 2 elements, which do not fill float32\[2, 2\]/],
  ];
  for (const [value, message] of wrong) {
    const feeds = value ? { ...good, a: value } : { b: good.b };
    await assert.rejects(session.run(feeds), { name: 'BoxwrightError', code: 'engine', message });
  }
  await assert.rejects(session.run({ ...good, c: good.b }), { message: /unknown: c/ });
  assert.deepEqual(numbersOf((await session.run(good)).y), [2, 3]);
});

test('models that cannot be loaded, providers that are not there', async () => {
  await assert.rejects(engine.load(Uint8Array.of(1, 2, 3)), {
    name: 'BoxwrightError',
    code: 'engine',
    message: /^Loading a model of 3 bytes failed: .*protobuf/,
  });
  await assert.rejects(engine.load('nowhere/model.onnx'), { code: 'engine', message: /nowhere\/model\.onnx/ });
  const counts = g.input('x', 'uint32', [2]);
  await assert.rejects(load({ y: g.scope('stem', () => g.argMax(counts, 0)) }), {
    code: 'engine',
    message: /^Loading a model of \d+ bytes failed: At stem\/ArgMax: Could not find an implementation/,
  });
  await assert.rejects(Engine.start({ provider: 'toaster' as 'cpu' }), {
    name: 'BoxwrightError',
    code: 'provider',
    message: /"toaster".*available: cpu/,
  });
  assert.ok((await availableProviders()).includes('cpu'));
});

test('dispose while runs wait: they are rejected at once, later calls too', async () => {
  const own = await Engine.start({ threads: 1 });
  const session = await load(heavy(), own);
  const runs = [session.run({ x: matrix() }), session.run({ x: matrix() })];
  const outcomes = Promise.allSettled(runs);
  const disposed = own.dispose();
  const start = performance.now();
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected');
    assert.match((outcome as PromiseRejectedResult).reason.message, /This engine was disposed/);
  }
  assert.ok(performance.now() - start < 100, 'without waiting for the operator that runs');
  await disposed;
  await assert.rejects(session.run({ x: matrix() }), { code: 'engine', message: /disposed/ });
  await assert.rejects(own.createState({}), { code: 'engine', message: /disposed/ });
  await own.dispose();
});

test('a disposed session and state say so', async () => {
  const x = g.input('x', 'float32', [1]);
  const session = await load({ y: g.neg(x) });
  const running = session.run({ x: floats([1], [1]) });
  await session.dispose();
  assert.deepEqual(numbersOf((await running).y), [-1], 'a run that was asked for before is still answered');
  await assert.rejects(session.run({ x: floats([1], [1]) }), { message: /session was disposed/ });
  const state = await engine.createState({ x: floats([1], [1]) });
  await state.dispose();
  await assert.rejects(state.read(), { message: /state was disposed/ });
});

/** Counter, parameter and momentum of one step: v' = 0.9 v + g, p' = p − 0.1 v'. */
function stepGraph(): Record<string, g.Value> {
  const [p, v, gradient] = ['p', 'v', 'gradient'].map((name) => g.input(name, 'float32', [3]));
  const count = g.input('count', 'int64', []);
  const next = g.add(g.mul(v, 0.9), gradient);
  return {
    loss: g.reduceSum(p),
    'new p': g.sub(p, g.mul(next, 0.1)),
    'new v': next,
    'new count': g.add(count, 1),
  };
}
const updates = { 'new p': 'p', 'new v': 'v', 'new count': 'count' };
const initialState = () => ({ p: floats([3], [1, 2, 3]), v: floats([3], [0, 0, 0]), count: integers([], [0]) });

test('state: two buffer sets take turns over many steps', async () => {
  const session = await load(stepGraph());
  const state = await engine.createState(initialState());
  const p = [1, 2, 3];
  const v = [0, 0, 0];
  for (let step = 0; step < 30; step++) {
    const gradient = [0.5, -0.25, step / 8];
    const loss = p.reduce((sum, value) => sum + value, 0);
    const outputs = await session.run({ gradient: floats([3], gradient) }, { state, updates });
    assert.deepEqual(Object.keys(outputs), ['loss'], 'updated state is not returned');
    assert.ok(Math.abs(numbersOf(outputs.loss)[0] - loss) < 1e-4, `step ${step}`);
    gradient.forEach((value, i) => {
      v[i] = 0.9 * v[i] + value;
      p[i] -= 0.1 * v[i];
    });
    const now = await state.read();
    numbersOf(now.p).forEach((value, i) => {
      assert.ok(Math.abs(value - p[i]) < 1e-4, `step ${step}: ${value} is not ${p[i]}`);
    });
    assert.deepEqual(numbersOf(now.count), [step + 1]);
  }
});

test('state: two sessions share it; what is read is a copy; what is written is used', async () => {
  const step = await load(stepGraph());
  const evaluation = await load({ twice: g.mul(g.input('p', 'float32', [3]), 2) });
  const state = await engine.createState(initialState());
  const feeds = { gradient: floats([3], [1, 1, 1]) };
  const twice = async () => numbersOf((await evaluation.run({}, { state })).twice).map((value) => value.toFixed(3));
  assert.deepEqual(await twice(), ['2.000', '4.000', '6.000']);
  const earlier = await state.read(['p']);
  await step.run(feeds, { state, updates });
  assert.deepEqual(await twice(), ['1.800', '3.800', '5.800']);
  assert.deepEqual(numbersOf(earlier.p), [1, 2, 3], 'a copy');
  await state.write({ p: floats([3], [10, 20, 30]), count: integers([], [7]) });
  assert.deepEqual(await twice(), ['20.000', '40.000', '60.000']);
  await step.run(feeds, { state, updates });
  assert.deepEqual(numbersOf((await state.read(['count'])).count), [8]);
  const fed = await evaluation.run({ p: floats([3], [0, 0, 1]) }, { state });
  assert.deepEqual(numbersOf(fed.twice), [0, 0, 2], 'a feed goes before the state');
});

test('state: what does not fit is refused and changes nothing', async () => {
  const step = await load(stepGraph());
  const state = await engine.createState(initialState());
  const feeds = { gradient: floats([3], [1, 1, 1]) };
  const wrong: [Record<string, string>, RegExp][] = [
    [{ 'new q': 'p' }, /no output "new q"/],
    [{ 'new p': 'q' }, /no state tensor "q"/],
    [{ 'new p': 'p', 'new v': 'p' }, /Two outputs update the state tensor "p"/],
  ];
  for (const [bad, message] of wrong) {
    await assert.rejects(step.run(feeds, { state, updates: bad }), { code: 'engine', message });
  }
  await assert.rejects(step.run({ ...feeds, ...initialState() }, { updates }), { message: /no state tensor "p"/ });
  const writes: [Record<string, g.Tensor>, RegExp][] = [
    [{ v: floats([3], [9, 9, 9]), p: floats([2], [9, 9]) }, /"p" is float32\[3\]; given was float32\[2\]/],
    [{ v: floats([3], [9, 9, 9]), count: floats([], [1]) }, /"count" is int64\[\]; given was float32\[\]/],
    [{ v: floats([3], [9, 9, 9]), q: floats([1], [1]) }, /"q" does not exist/],
  ];
  for (const [tensors, message] of writes) await assert.rejects(state.write(tensors), { code: 'engine', message });
  await assert.rejects(state.read(['q']), { message: /no state tensor "q"/ });
  const now = await state.read();
  assert.deepEqual([now.p, now.v, now.count].map(numbersOf), [[1, 2, 3], [0, 0, 0], [0]]);
});

test('state: a failed step leaves it as it was', async () => {
  const [p, i] = [g.input('p', 'float32', [3]), g.input('i', 'int64', [1])];
  const session = await load({ 'new p': g.mul(p, g.gather(p, i)) });
  const state = await engine.createState({ p: floats([3], [1, 2, 3]) });
  const options = { state, updates: { 'new p': 'p' } };
  await session.run({ i: integers([1], [1]) }, options);
  await assert.rejects(session.run({ i: integers([1], [5]) }, options));
  assert.deepEqual(numbersOf((await state.read()).p), [2, 4, 6]);
  await session.run({ i: integers([1], [0]) }, options);
  assert.deepEqual(numbersOf((await state.read()).p), [4, 8, 12]);
});

test('recycle moves the feeds and gives them back, after a failure too', async () => {
  const [x, i] = [g.input('x', 'float32', [2, 2]), g.input('i', 'int64', [1])];
  const session = await load({ y: g.gather(x, i) });
  const feeds = { x: floats([2, 2], [1, 2, 3, 4]), i: integers([1], [1]) };
  let back: Readonly<Record<string, g.Tensor>> = {};
  const recycle = (tensors: typeof back) => {
    back = tensors;
  };
  const running = session.run(feeds, { recycle });
  assert.equal(feeds.x.data.length, 0, 'moved');
  await assert.rejects(session.run(feeds), { code: 'engine', message: /"x" has 0 elements.*another run/ });
  assert.deepEqual(numbersOf((await running).y), [3, 4]);
  assert.deepEqual(numbersOf(back.x), [1, 2, 3, 4]);
  (back.i.data as BigInt64Array)[0] = 9n;
  const again = back;
  back = {};
  await assert.rejects(session.run(again, { recycle }), { message: /out of data bounds/ });
  assert.deepEqual(numbersOf(back.i), [9]);
  await session.run({ ...back, i: integers([1], [0]) }, { recycle });
  assert.deepEqual(numbersOf(back.x), [1, 2, 3, 4]);
});

test('views of larger buffers are fed as what they show', async () => {
  const session = await load({ y: g.mul(g.input('x', 'float32', [2]), 2) });
  const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
  assert.deepEqual(numbersOf((await session.run({ x: { dtype: 'float32', shape: [2], data } })).y), [2, 4]);
});

test('a profile is written where it was asked for', async (t) => {
  const folder = await temporaryFolder(t);
  const { bytes } = writeOnnx({ name: 't', outputs: { y: g.exp(g.input('x', 'float32', [1])) } });
  const session = await engine.load(bytes, { profile: join(folder, 'trace') });
  await session.run({ x: floats([1], [1]) });
  await session.endProfile();
  assert.equal(readdirSync(folder).length, 1);
});

const endings = {
  idle: '',
  disposed: 'await engine.dispose();',
  'disposed during a run': 'const run = session.run(feeds).catch(() => {}); await engine.dispose(); await run;',
  'running at process.exit': 'session.run(feeds); await new Promise(setImmediate); process.exit();',
  'still running, then idle': "session.run(feeds).then(() => console.log('ran'));",
};
for (const [name, ending] of Object.entries(endings)) {
  test(`the process ends by itself: engine ${name}`, async () => {
    const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
    const script = `
      import { Engine } from ${source('engine/engine.js')};
      import * as g from ${source('graph/index.js')};
      import { writeOnnx } from ${source('graph/onnx/write.js')};
      const engine = await Engine.start({ threads: 1 });
      const x = g.input('x', 'float32', [512, 512]);
      const { bytes } = writeOnnx({ name: 't', outputs: { y: g.matMul(g.matMul(x, x), x) } });
      const session = await engine.load(bytes);
      const feeds = { x: { dtype: 'float32', shape: [512, 512], data: new Float32Array(512 * 512) } };
      await session.run(feeds);
      const state = await engine.createState(feeds);
      ${ending}
    `;
    const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
    const { stdout, stderr } = await child;
    assert.equal(stderr, '');
    assert.equal(stdout, name.startsWith('still') ? 'ran\n' : '');
  });
}
