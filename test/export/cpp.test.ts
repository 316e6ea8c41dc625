// examples/detect.cpp, compiled against ONNX Runtime's headers and run with the library that onnxruntime-node brings.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { exportOnnx } from '../../src/export/export-onnx.js';
import { Detector } from '../../src/predict/detector.js';
import { root } from '../docs/documents.js';
import { pixels, tinyCheckpoint, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';

const headers = process.env.BOXWRIGHT_ONNXRUNTIME_INCLUDE;
const runtime = join(root, 'node_modules/onnxruntime-node');
const library = join(runtime, 'bin/napi-v6', process.platform, process.arch, 'libonnxruntime.so.1');

/** Why it cannot be done here. */
function missing(): string | false {
  if (!headers) return 'needs BOXWRIGHT_ONNXRUNTIME_INCLUDE, a folder with onnxruntime_cxx_api.h';
  if (!existsSync(library)) return `needs ${library}`;
  if (spawnSync('g++', ['--version']).status !== 0) return 'needs g++';
  return false;
}

test('examples/detect.cpp prints what Detector finds', { skip: missing() }, async (t) => {
  const folder = await temporaryFolder({ after });
  const program = join(folder, 'detect');
  // A library serves programs for its own and for older versions of the interface.
  const [, wanted] = /define ORT_API_VERSION (\d+)/.exec(readFileSync(join(headers!, 'onnxruntime_c_api.h'), 'utf8'))!;
  const { version } = JSON.parse(readFileSync(join(runtime, 'package.json'), 'utf8'));
  assert.ok(Number(wanted) <= Number(version.split('.')[1]), `headers of version ${wanted} for the library ${version}`);
  const built = spawnSync(
    'g++',
    [
      ...['-std=c++17', '-Wall', '-Wextra', '-Werror', join(root, 'examples/detect.cpp'), '-isystem', headers!],
      ...[library, `-Wl,-rpath,${dirname(library)}`, '-o', program],
    ],
    { encoding: 'utf8' },
  );
  assert.equal(built.status, 0, built.stderr);
  const run = (model: string, picture: string) => spawnSync(program, [model, picture], { encoding: 'utf8' });

  const names = ['a "cross"', 'disc\\', 'кольцо'];
  const model = join(folder, 'tiny.onnx');
  await exportOnnx(await tinyModelFile(t, tinyCheckpoint('refinedet-tiny-64', names)), model);
  const picture = join(folder, 'picture.ppm');
  const shown = pixels(70, 50);
  const head = Buffer.from('P6 # by a test\n# 2 lines of it\n70 50\n255\n');
  await writeFile(picture, Buffer.concat([head, shown.data]));
  const { stdout, stderr, status } = run(model, picture);
  assert.equal(status, 0, stderr);
  await using detector = await Detector.load(model, { minScore: 0 });
  const { detections } = await detector.detect(shown);
  const lines = stdout.trimEnd().split('\n');
  assert.ok(detections.length > 5);
  assert.equal(lines.length, detections.length);
  const printed = lines.map((line) => {
    const [, score, label, box] = /^([\d.]+) (.+) \[([^\]]+)\]$/.exec(line)!;
    return { score: Number(score), label, box: box.split(', ').map(Number) };
  });
  for (const { score, label, box } of detections) {
    const same = printed.findIndex(
      (one) =>
        one.label === label &&
        Math.abs(one.score - score) < 6e-4 &&
        one.box.every((side, i) => Math.abs(side - box[i]) < 0.06),
    );
    assert.ok(same >= 0, `no line for ${label}, ${score}, [${box.join(', ')}]`);
    printed.splice(same, 1);
  }

  await writeFile(picture, head);
  const cut = run(model, picture);
  assert.deepEqual([cut.status, cut.stderr], [1, `${picture}: it is cut off\n`]);
  const none = run(picture, model);
  assert.deepEqual([none.status, none.stderr], [1, `${model}: it is no binary PPM\n`]);
});
