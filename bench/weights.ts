import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesOf, elementCount, type Tensor } from '../src/graph/tensor.js';
import { type FileContent, writeFileAtomically } from '../src/weights/atomic-file.js';
import { writeMindspore } from '../src/weights/formats/mindspore-writer.js';
import { writeSafetensors } from '../src/weights/formats/safetensors.js';
import { caffeFile } from '../test/weights/caffe-writer.js';
import { initializer, modelOf } from '../test/weights/onnx-pieces.js';
import { content } from '../test/weights/protobuf-writer.js';
import { detectron2File, pytorchFile } from '../test/weights/torch-writer.js';
import { ratio, table, timingOf } from './timing.js';
import type { Loading } from './weights-file.js';

type Tensors = ReadonlyMap<string, Tensor>;

/** Writers of each format, by the reader's name. */
const writers: Readonly<Record<string, (path: string, tensors: Tensors) => Promise<void>>> = {
  safetensors: (path, tensors) => writeSafetensors(path, tensors),
  MindSpore: (path, tensors) => writeMindspore(path, tensors),
  'PyTorch, zip': written((tensors) => pytorchFile('zip', tensors)),
  'PyTorch, legacy': written((tensors) => pytorchFile('legacy', tensors)),
  'numpy pickle, protocol 4': written((tensors) => detectron2File(tensors, { as: 'bytes' })),
  'numpy pickle, protocol 2 of Python 3': written((tensors) => detectron2File(tensors, { as: 'text' })),
  Caffe: written((tensors) => caffeFile(new Map([...tensors].map(([name, tensor]) => [`${name}/0`, tensor])))),
  ONNX: written((tensors) => [
    modelOf(
      ...[...tensors].map(([name, { shape: dims, data }]) =>
        initializer({ name, dims, elements: content(9, bytesOf(data)) }),
      ),
    ),
  ]),
};

function written(make: (tensors: Tensors) => FileContent) {
  return (path: string, tensors: Tensors) => writeFileAtomically(path, make(tensors));
}

/** About 500 MB: three layers of 1024 by 12544 as in a cascade's heads, convolutions of 512 by 512, and their norms. */
function largeModel(): Tensors {
  const shapes: [string, number[]][] = [];
  for (let i = 0; i < 3; i++) shapes.push([`stages.${i}.fc1.weight`, [1024, 12544]], [`stages.${i}.fc1.bias`, [1024]]);
  for (let i = 0; i < 36; i++) {
    shapes.push([`backbone.layer.${i}.conv.weight`, [512, 512, 3, 3]]);
    for (const vector of ['weight', 'bias', 'running_mean', 'running_var'])
      shapes.push([`backbone.layer.${i}.bn.${vector}`, [512]]);
  }
  return new Map(
    shapes.map(([name, shape], k) => {
      const data = new Float32Array(elementCount(shape));
      for (let i = 0; i < data.length; i++) data[i] = Math.fround(((i * 2654435761 + k) >>> 8) / 2 ** 24 - 0.5);
      return [name, { dtype: 'float32', shape, data }];
    }),
  );
}

/** How fast a file of each format is loaded from the system's cache, beside reading its bytes, and the memory it takes. */
export async function benchWeights(repeats: number, only?: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'boxwright-bench-'));
  const child = fileURLToPath(new URL('./weights-file.js', import.meta.url));
  const rows: string[][] = [];
  try {
    for (const [format, write] of Object.entries(writers)) {
      if (only && !format.toLowerCase().includes(only.toLowerCase())) continue;
      const path = join(folder, 'weights');
      await write(path, largeModel());
      const { size } = await stat(path);
      const output = execFileSync(process.execPath, ['--expose-gc', child, path, `${repeats}`], { encoding: 'utf8' });
      const { times, plain, peak } = JSON.parse(output) as Loading;
      await rm(path);
      const speed = (milliseconds: number) => (size / 1e6 / milliseconds).toFixed(2);
      const [own, bytes] = [timingOf(times), timingOf(plain)];
      const speeds = [speed(own.best), speed(own.median), speed(bytes.best), speed(bytes.median)];
      rows.push([format, (size / 1e6).toFixed(0), ...speeds, ratio(peak / size)]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  console.log(table(['format', 'MB', 'GB/s best', 'median', 'bytes alone', 'median', 'peak memory / file'], rows));
}
