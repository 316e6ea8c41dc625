// Exported files under Python's onnxruntime. BOXWRIGHT_PEERS_PYTHON names a Python that has onnx, onnxruntime and numpy.
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exportOnnx } from '../../src/export/export-onnx.js';
import { Detector } from '../../src/predict/detector.js';
import { assertSameDetections, pixels, tinyCheckpoint, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';

const python = process.env.BOXWRIGHT_PEERS_PYTHON;
const options = { skip: python ? false : 'needs BOXWRIGHT_PEERS_PYTHON, a Python with onnx, onnxruntime and numpy' };
const script = fileURLToPath(new URL('../../../test/export/detect-onnx.py', import.meta.url));

interface Outputs {
  readonly boxes: number[][];
  readonly scores: number[];
  readonly labels: number[];
  readonly pictures: number[];
}

interface Check {
  readonly domains: string[];
  readonly operators: string[];
  readonly metadata: Record<string, string>;
  readonly docs: Record<string, string>;
}

/** Sends requests to the script and gives its answers. */
class Peer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor() {
    this.#process = spawn(python!, [script]);
    this.#process.stderr.on('data', (text) => {
      this.#errors += text;
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async ask<T>(request: object): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { done, value } = await this.#lines.next();
    assert.ok(!done, `Python ended: ${this.#errors}`);
    return JSON.parse(value) as T;
  }

  async end(): Promise<void> {
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}

for (const { model, kinds } of [
  { model: 'refinedet-tiny-64', kinds: ['folded', 'plain', 'apart'] },
  { model: 'refinedet-vgg16-64-zoo', kinds: ['folded'] },
] as const) {
  test(`${model} exported: onnx's full check passes and Python detects the same`, options, async (t) => {
    const folder = await temporaryFolder(t);
    const source = await tinyModelFile(t, tinyCheckpoint(model));
    const files = kinds.map((kind) => join(folder, `${kind}.onnx`));
    for (const [i, kind] of kinds.entries()) {
      await exportOnnx(source, files[i], { fold: kind !== 'plain', externalData: kind === 'apart' });
    }
    await using detector = await Detector.load(source, { minScore: 0 });
    const peer = new Peer();
    t.after(() => peer.end());
    for (const file of files) {
      const { domains, operators, metadata, docs } = await peer.ask<Check>({ model: file, check: true });
      assert.deepEqual(domains, ['']);
      assert.equal(operators.includes('BatchNormalization'), file.endsWith('plain.onnx'));
      assert.equal(metadata.model, model);
      assert.deepEqual(Object.keys(docs), ['images', 'boxes', 'scores', 'labels', 'pictures']);
    }
    for (const [width, height, batch] of [
      [64, 64, 1],
      [150, 90, 1],
      [31, 77, 3],
    ]) {
      const pictures = Array.from({ length: batch }, (_, i) => pixels(width, height, i));
      const file = join(folder, 'pixels.raw');
      await writeFile(file, Buffer.concat(pictures.map(({ data }) => data)));
      const expected = await detector.detect(pictures);
      for (const onnx of files) {
        const found = await peer.ask<Outputs>({ model: onnx, pixels: file, shape: [batch, height, width, 3] });
        expected.forEach(({ detections }, picture) => {
          const rows = found.pictures.flatMap((owner, row) => (owner === picture ? [row] : []));
          const inPicture = rows.map((row) => ({
            box: found.boxes[row],
            score: found.scores[row],
            labelIndex: found.labels[row],
          }));
          assertSameDetections(inPicture, detections, Math.max(width, height), `${onnx}, picture ${picture}`);
        });
      }
    }
  });
}

test('a blank picture on which nothing is found gives empty outputs in Python', options, async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'strict.onnx');
  await exportOnnx(await tinyModelFile(t), path, { scoreThreshold: 0.99 });
  const file = join(folder, 'blank.raw');
  await writeFile(file, new Uint8Array(2 * 50 * 40 * 3));
  const peer = new Peer();
  t.after(() => peer.end());
  const found = await peer.ask<Outputs>({ model: path, pixels: file, shape: [2, 50, 40, 3] });
  assert.deepEqual(found, { boxes: [], scores: [], labels: [], pictures: [] });
});
