import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { modelRecipe } from '../../src/models/model.js';
import { inSourceNames } from '../../src/weights/loading/in-source-names.js';
import { loadWeights } from '../../src/weights/loading/load-weights.js';
import { readJson } from '../models/zoo-golden.js';
import { needs } from '../shared.js';
import { listedFile, someClasses } from './listed-file.js';

interface Parameter {
  readonly name: string;
  readonly shape: number[];
}

const sources = [
  ['refinedet-vgg16-320-zoo', 'golden/refinedet-zoo/parameters_vgg16-320.json', 'eval'],
  ['refinedet-resnet101-320-zoo', 'golden/refinedet-zoo/parameters_resnet101-320.json', 'eval'],
  ['cascade-rcnn-resnet101-zoo', 'golden/cascade-rcnn-zoo/parameters.json', 'network'],
] as const;

for (const [model, list, part] of sources) {
  test(`${model} goes back under the zoo's names, in its order, every value where it was`, needs(list), async () => {
    const listed = (await readJson<Record<string, Parameter[]>>(list))[part];
    // Matrices count their elements, so that turning them twice shows.
    const value = (_: string, [rows, columns, ...rest]: readonly number[]) =>
      rest.length === 0 && columns > 0 && columns < 400
        ? Float32Array.from({ length: rows * columns }, (_v, i) => i)
        : undefined;
    const file = listedFile(
      listed.map(({ name, shape }) => [name, shape]),
      { format: 'mindspore', value },
    );
    const target = { recipe: modelRecipe(model, 80), model, classes: someClasses(80) };
    const back = inSourceNames(model, 'mindspore', loadWeights('file', file, target).taken);
    assert.deepEqual(
      [...back].map(([name, { shape }]) => [name, shape]),
      listed.map(({ name, shape }) => [name, shape]),
    );
    const spare = (name: string) => name.includes('reg_scores_class_ang');
    for (const [name, { data }] of back) {
      if (spare(name))
        assert.ok(
          (data as Float32Array).every((x) => x === 0),
          name,
        );
      else assert.ok(same(data, file.tensors.get(name)!.data), name);
    }
  });
}

test('a model that the zoo does not have is refused', () => {
  assert.throws(() => inSourceNames('refinedet-resnet18-320', 'mindspore', new Map<string, Tensor>()), {
    code: 'model',
    message: /refinedet-resnet18-320 is no model of MindSpore's zoo/,
  });
});

function same(a: Tensor['data'], b: Tensor['data']): boolean {
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}

function bytes({ buffer, byteOffset, byteLength }: Tensor['data']): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
