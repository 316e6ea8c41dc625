import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BoxCoder, decodeBoxes, encodeBoxes, toCentres } from '../../src/boxes/coder.js';
import { centresToCorners, cornersToCentres, decodeCentres, encodeBoxesGraph } from '../../src/boxes/coder-graph.js';
import { input } from '../../src/graph/index.js';
import { paperCoder, paperPytorchCoder, zooCoder } from '../../src/models/refinedet/targets.js';
import { runner } from '../graph/harness.js';
import { assertClose } from './golden-arrays.js';
import { randomBoxes, uniforms } from './random-boxes.js';

const count = 200;
const coders: Record<string, BoxCoder> = {
  Caffe: paperCoder,
  PyTorch: paperPytorchCoder,
  'zoo, y first': zooCoder,
  'Cascade R-CNN, last pixel inside, limited': {
    stds: [0.1, 0.1, 0.2, 0.2],
    order: 'xywh',
    plusOne: true,
    maxLogRatio: Math.log(1000 / 16),
  },
};

for (const [name, coder] of Object.entries(coders)) {
  test(`encoding and decoding in the graph are the host's: ${name}`, async () => {
    const uniform = uniforms(2);
    const scale = coder.plusOne ? 600 : 1;
    const boxes = randomBoxes(count, uniform).map((value) => value * scale);
    const references = toCentres(
      randomBoxes(count, uniform).map((value) => value * scale),
      coder.plusOne,
    );
    // Some beyond the limit of the logarithm.
    const deltas = Float32Array.from({ length: count * 4 }, () => 60 * (uniform() - 0.5) ** 3);
    if (coder.maxLogRatio) deltas[2] = 100;
    const shape = [1, count, 4];
    const [boxesIn, referencesIn, deltasIn] = ['boxes', 'references', 'deltas'].map((field) =>
      input(field, 'float32', shape),
    );
    const graph = await runner({
      coded: encodeBoxesGraph(boxesIn, referencesIn, coder),
      decoded: centresToCorners(decodeCentres(deltasIn, referencesIn, coder), coder.plusOne),
      centres: cornersToCentres(boxesIn, coder.plusOne),
    });
    const tensor = (data: Float32Array) => ({ dtype: 'float32', shape, data }) as const;
    const results = await graph.run({
      boxes: tensor(boxes),
      references: tensor(references),
      deltas: tensor(deltas),
    });
    await graph.session.release();
    const [coded, decoded, centres] = [results.coded, results.decoded, results.centres].map(
      ({ data }) => data as Float32Array,
    );
    assertClose(coded, encodeBoxes(boxes, references, coder), 1e-5, 1e-5);
    assertClose(decoded, decodeBoxes(deltas, references, coder), 1e-5, 1e-6 * scale);
    assertClose(centres, toCentres(boxes, coder.plusOne), 1e-6, 1e-7 * scale);
    if (coder.maxLogRatio) {
      const limited = references[2] * Math.exp(coder.maxLogRatio) - 1;
      assert.ok(Math.abs(decoded[2] - decoded[0] - limited) < 1e-3 * limited, 'the limit holds');
    }
  });
}
