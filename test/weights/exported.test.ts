import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportOnnx } from '../../src/export/export-onnx.js';
import { Detector } from '../../src/predict/detector.js';
import type { Detection } from '../../src/predict/formats/picture-detections.js';
import { writeCheckpoint } from '../../src/weights/checkpoint.js';
import { detectorOf } from '../../src/weights/detector-file.js';
import { readWeightFile } from '../../src/weights/weight-readers.js';
import { pixels, tinyCheckpoint, tinyClasses, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';

for (const model of ['refinedet-tiny-64', 'cascade-rcnn-tiny']) {
  for (const fold of [false, true]) {
    test(`an exported ${model} is a checkpoint again, batch norm ${fold ? 'folded' : 'apart'}`, async (t) => {
      const folder = await temporaryFolder(t);
      const [onnx, back] = [join(folder, 'model.onnx'), join(folder, 'back.safetensors')];
      const own = tinyCheckpoint(model);
      const path = await tinyModelFile(t, own);
      await exportOnnx(path, onnx, { fold });
      const { checkpoint, note } = detectorOf(onnx, await readWeightFile(onnx), {});
      assert.deepEqual([checkpoint.model, checkpoint.classes], [model, tinyClasses]);
      assert.equal(/batch norm that was folded/.test(note!), fold);
      assert.deepEqual([...checkpoint.parameters.keys()].sort(), [...own.parameters.keys()].sort());
      await writeCheckpoint(back, checkpoint);
      const picture = pixels(150, 100);
      const found: (readonly Detection[])[] = [];
      for (const file of [path, back]) {
        await using detector = await Detector.load(file, { minScore: 0.05 });
        found.push((await detector.detect(picture)).detections);
      }
      assert.ok(found[0].length > 0);
      if (!fold) return assert.deepEqual(found[1], found[0]);
      // Folding rounds once more, which may swap equal scores; the best stand out.
      assert.equal(found[1].length, found[0].length);
      for (const [i, { score, box }] of found[0].slice(0, 5).entries()) {
        assert.ok(Math.abs(score - found[1][i].score) < 1e-4, `${score} and ${found[1][i].score}`);
        assert.ok(
          box.every((x, side) => Math.abs(x - found[1][i].box[side]) < 0.05),
          `${box} and ${found[1][i].box}`,
        );
      }
      return undefined;
    });
  }
}
