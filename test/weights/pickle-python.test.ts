// Files as Python writes them today. BOXWRIGHT_PEERS_PYTHON names a Python that has torch and numpy.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '../../src/graph/tensor.js';
import { readWeightFile } from '../../src/weights/weight-readers.js';
import { temporaryFolder } from '../temporary-folder.js';
import { counting, detectron2File, pytorchFile } from './torch-writer.js';

const python = process.env.BOXWRIGHT_PEERS_PYTHON;
const options = { skip: python ? false : 'needs BOXWRIGHT_PEERS_PYTHON, a Python with torch and numpy' };
const script = fileURLToPath(new URL('../../../test/weights/torch-files.py', import.meta.url));

type Expectation = Record<string, [dtype: string, shape: number[], values: (number | string | boolean)[]]>;

function asExpectation(tensors: ReadonlyMap<string, Tensor>): Expectation {
  const value = (dtype: string, item: number | bigint) => {
    if (dtype === 'bool') return item === 1;
    const number = Number(item);
    if (Number.isFinite(number)) return number;
    return Number.isNaN(number) ? 'nan' : number > 0 ? 'inf' : '-inf';
  };
  return Object.fromEntries(
    Array.from(tensors, ([name, { dtype, shape, data }]) => [
      name,
      [dtype, [...shape], Array.from<number | bigint, number | string | boolean>(data, (item) => value(dtype, item))],
    ]),
  );
}

const refusals: Record<string, RegExp> = {
  'trap-zip.pth': /it names "__builtin__\.getattr"/,
  'trap-legacy.pth': /it names "__builtin__\.getattr"/,
  'trap.pkl': /it names "pathlib\.Path\.touch"/,
  'model.pth': /it names "torch\.nn\.modules\.linear\.Linear".*torch\.save\(model\.state_dict\(\)/,
  'script.pth': /a TorchScript program, which boxwright does not run/,
  'sparse.pth': /"a" is a sparse tensor/,
  'quantized.pth': /"a" is a quantized tensor/,
  'complex.pth': /elements of type complex64/,
  'objects.pkl': /"a" is a numpy array of type "O8"/,
  'arrays.npz': /a zip archive, but none of PyTorch's: it has 0 data\.pkl; found "a\.npy"/,
};

test('what torch and numpy write is read, value for value', options, async (t) => {
  const folder = await temporaryFolder(t);
  execFileSync(python!, [script, folder]);
  const names = (await readdir(folder)).filter((name) => /\.(pth|pkl)$/.test(name));
  assert.equal(names.length, 2 * 8 + 5);
  for (const name of names) {
    await t.test(name, async () => {
      const { tensors, format } = await readWeightFile(join(folder, name));
      assert.equal(format, name.endsWith('.pth') ? 'pytorch' : 'numpy-pickle');
      const expected = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
      assert.deepEqual(asExpectation(tensors), expected);
    });
  }
  const refused = await readdir(join(folder, 'refused'));
  assert.deepEqual(refused.sort(), Object.keys(refusals).sort());
  for (const name of refused) {
    await t.test(`${name} is refused`, async () => {
      await assert.rejects(readWeightFile(join(folder, 'refused', name)), { code: 'weights', message: refusals[name] });
    });
  }
  assert.ok(!existsSync(join(folder, 'executed')), 'nothing was executed');
});

// The tests that always run read what our own writer writes; this shows that it writes what Python reads.
test('what the writer of these tests writes, torch and pickle read', options, async (t) => {
  const folder = await temporaryFolder(t);
  const tensors = new Map<string, Tensor>([
    ['a.weight', counting([2, 3, 4], -5)],
    ['b', { dtype: 'int64', shape: [], data: BigInt64Array.of(-5n) }],
  ]);
  const write = (name: string, pieces: Uint8Array[]) => writeFile(join(folder, name), Buffer.concat(pieces));
  const options = { wrapper: 'state_dict', beside: [['epoch', 3]] } as const;
  await write('zip.pth', pytorchFile('zip', tensors, options));
  await write('legacy.pth', pytorchFile('legacy', tensors, options));
  await write('numpy.pkl', detectron2File(tensors, { numpy: 2 }));
  const code = `
import json, pickle, sys, torch
folder = sys.argv[1]
found = {n: torch.load(f"{folder}/{n}.pth", weights_only=True)["state_dict"] for n in ("zip", "legacy")}
found["numpy"] = pickle.load(open(f"{folder}/numpy.pkl", "rb"))["model"]
print(json.dumps({n: {k: [list(v.shape), v.reshape(-1).tolist()] for k, v in d.items()} for n, d in found.items()}))
`;
  const found = JSON.parse(execFileSync(python!, ['-c', code, folder], { encoding: 'utf8' }));
  const expected = { 'a.weight': [[2, 3, 4], [...counting([2, 3, 4], -5).data]], b: [[], [-5]] };
  assert.deepEqual(found, { zip: expected, legacy: expected, numpy: expected });
});
