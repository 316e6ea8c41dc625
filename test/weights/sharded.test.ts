import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { parseWeights, readWeightFile } from '../../src/weights/weight-readers.js';
import { temporaryFolder } from '../temporary-folder.js';
import { counting, pytorchFile } from './torch-writer.js';

const folder = await temporaryFolder({ after });

const first = 'model-00001-of-00002.safetensors';
const second = 'model-00002-of-00002.safetensors';

/** A folder with two files of tensors and this index. */
async function index(name: string, json: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  const tensors = [
    ['a.weight', counting([2, 3])],
    ['a.bias', counting([2], 9)],
  ] as const;
  await writeSafetensors(join(path, first), new Map(tensors), { format: 'pt' });
  await writeSafetensors(join(path, second), new Map([['b', counting([4])]]));
  await writeFile(join(path, 'model.safetensors.index.json'), typeof json === 'string' ? json : JSON.stringify(json));
  return join(path, 'model.safetensors.index.json');
}

describe('weights in several files', () => {
  test('in the order of the index', async () => {
    const map = { b: second, 'a.weight': first, 'a.bias': first };
    const file = await readWeightFile(await index('whole', { metadata: { total_size: 48 }, weight_map: map }));
    assert.equal(file.format, 'safetensors');
    assert.deepEqual(
      [...file.tensors],
      [
        ['b', counting([4])],
        ['a.weight', counting([2, 3])],
        ['a.bias', counting([2], 9)],
      ],
    );
  });

  test('of PyTorch files, since each is read as what it is', async () => {
    const path = await index('pytorch', { weight_map: { c: 'pytorch_model-1.bin' } });
    const bytes = Buffer.concat(pytorchFile('zip', new Map([['c', counting([5])]])));
    await writeFile(join(path, '..', 'pytorch_model-1.bin'), bytes);
    const { format, tensors } = await readWeightFile(path);
    assert.equal(format, 'pytorch');
    assert.deepEqual([...tensors], [['c', counting([5])]]);
  });

  const refused: [string, unknown, string, RegExp][] = [
    [
      'a missing file',
      { weight_map: { a: 'model-3.safetensors' } },
      'io',
      /model-3\.safetensors: there is no such file/,
    ],
    [
      'a missing tensor',
      { weight_map: { 'a.weight': second } },
      'weights',
      /"a\.weight" is in model-00002-of-00002\.safetensors, which lacks it/,
    ],
    [
      'another folder',
      { weight_map: { a: '../x.safetensors' } },
      'weights',
      /in the file "\.\.\/x\.safetensors": expected the name of a file in the same folder/,
    ],
    ['no map', '{"weight_map": []}', 'weights', /has no "weight_map"/],
    ['an empty map', { weight_map: {} }, 'weights', /has no "weight_map"/],
    ['broken JSON', '{"weight_map": {"a"', 'weights', /is not JSON/],
    ['a number for a file', { weight_map: { a: 1 } }, 'weights', /gives tensor "a" no file name/],
    ['an index of an index', { weight_map: { a: 'model.safetensors.index.json' } }, 'weights', /as a file of tensors/],
  ];
  for (const [what, json, code, message] of refused) {
    test(what, async () => {
      const path = await index(what, json);
      await assert.rejects(readWeightFile(path), { code, message });
    });
  }

  test('an index that leads to itself under another name', async () => {
    const path = await index('circle', { weight_map: { a: 'circle' } });
    await writeFile(join(path, '..', 'circle'), '{"weight_map": {"a": "circle"}}');
    await assert.rejects(readWeightFile(path), { code: 'weights', message: /circle: not a file of weights/ });
  });

  test('in memory, where there is no folder', async () => {
    const bytes = new TextEncoder().encode('{"weight_map": {"a": "x.safetensors"}}');
    await assert.rejects(parseWeights(bytes, 'i.json'), {
      code: 'weights',
      message: /i\.json: it keeps tensors in the file "x\.safetensors" beside it/,
    });
  });
});
