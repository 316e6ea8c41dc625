import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { type DrawnBox, drawDetections, drawDetectionsTo, overlaySvg } from '../../src/report/drawing/draw.js';
import { canStroke, strokedText, strokedWidth } from '../../src/report/drawing/stroke-font.js';
import { classColour, readableOn } from '../../src/report/page/colours.js';
import { temporaryFolder } from '../temporary-folder.js';

const grey = (width: number, height: number) => ({ data: new Uint8Array(width * height * 3).fill(128), width, height });

async function pixelsOf(file: Uint8Array) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) =>
    Array.from(data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3));
  return { data, info, at };
}

const rgb = (colour: string) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

describe('drawing detections', () => {
  test('puts a line of the class colour on the box and leaves its inside as it was', async () => {
    const boxes: DrawnBox[] = [{ box: [200, 160, 600, 480], label: 'cat', labelIndex: 2, score: 0.9 }];
    const { info, at } = await pixelsOf(await drawDetections(grey(800, 600), boxes));
    assert.deepEqual([info.width, info.height, info.channels], [800, 600, 3]);
    for (const [x, y] of [
      [600, 320],
      [200, 320],
      [400, 480],
    ]) {
      const distance = Math.max(...at(x, y).map((value, i) => Math.abs(value - rgb(classColour(2))[i])));
      assert.ok(distance < 3, `pixel ${x}, ${y} is ${at(x, y)}`);
    }
    assert.deepEqual(at(400, 320), [128, 128, 128]);
    assert.deepEqual(at(700, 560), [128, 128, 128]);
  });

  test('keeps plates inside the picture and off each other', () => {
    const boxes: DrawnBox[] = [
      { box: [0, 0, 200, 150], label: 'whole', labelIndex: 0, score: 0.5 },
      { box: [190, 140, 200, 150], label: 'a rather long name in the corner', labelIndex: 1, score: 0.5 },
      { box: [-20, 60, 5, 80], label: 'left of it', labelIndex: 2 },
      { box: [-20, 62, 5, 82], label: 'the same', labelIndex: 3 },
      { box: [500, 500, 600, 600], label: 'far outside', labelIndex: 4 },
      { box: [50, 50, 50, 50], label: 'x'.repeat(100), labelIndex: 5 },
    ];
    const svg = overlaySvg(200, 150, boxes, true, 'test');
    const rects = Array.from(svg.matchAll(/<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)" fill="#/g), (match) =>
      match.slice(1).map(Number),
    );
    assert.equal(rects.length, boxes.length);
    for (const [x, y, width, height] of rects) {
      assert.ok(x >= 0 && y >= 0 && x + width <= 200.02 && y + height <= 150.02, `${[x, y, width, height]}`);
    }
    const [first, second] = rects.slice(2, 4);
    assert.ok(Math.abs(first[1] - second[1]) >= 10, 'plates of two boxes in one place lie at different heights');
  });

  test('draws any name, whatever XML thinks of it', async () => {
    const label = 'a<b> & "c" \u0000\ud800 größe 猫';
    const boxes: DrawnBox[] = [{ box: [10, 40, 90, 90], label, labelIndex: 0, score: 0.5 }];
    const { data } = await pixelsOf(await drawDetections(grey(300, 200), boxes));
    assert.ok(data.some((value) => value !== 128));
  });

  test('needs no font for printable ASCII', () => {
    const boxes: DrawnBox[] = [{ box: [10, 40, 90, 90], label: 'WBC <1>', labelIndex: 0, score: 0.5 }];
    assert.ok(!overlaySvg(300, 200, boxes, true, 'test').includes('<text'));
    assert.ok(overlaySvg(300, 200, [{ ...boxes[0], label: 'größe' }], true, 'test').includes('<text'));
  });

  test('draws nothing but the picture without boxes', async () => {
    const { data } = await pixelsOf(await drawDetections(grey(30, 20), []));
    assert.ok(data.every((value) => value === 128));
  });

  test('writes the format of the name, and no other', async (t) => {
    const folder = await temporaryFolder(t);
    for (const [name, format] of [
      ['a.png', 'png'],
      ['a.JPG', 'jpeg'],
      ['a.jpeg', 'jpeg'],
    ]) {
      await drawDetectionsTo(join(folder, name), grey(30, 20), []);
      assert.equal((await sharp(await readFile(join(folder, name))).metadata()).format, format);
    }
    await assert.rejects(drawDetectionsTo(join(folder, 'a.webp'), grey(30, 20), []), { code: 'config' });
  });

  test('refuses boxes that are not finite and pictures that are none', async () => {
    const boxes: DrawnBox[] = [{ box: [0, 0, Number.NaN, 1], label: 'cat', labelIndex: 0 }];
    await assert.rejects(drawDetections(grey(9, 9), boxes), {
      code: 'data',
      message: /box 0 to draw is cat, \[0, 0, NaN, 1\]/,
    });
    await assert.rejects(drawDetections(Buffer.from('none'), []), { code: 'data' });
  });
});

test('class colours differ, and labels on them can be read', () => {
  const colours = Array.from({ length: 90 }, (_, i) => classColour(i));
  assert.equal(new Set(colours).size, 90);
  for (const colour of colours) {
    assert.match(colour, /^#[0-9a-f]{6}$/);
    const luminance = (hex: string) => {
      const [r, g, b] = rgb(hex).map((v) =>
        v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [light, dark] = [luminance(colour), luminance(readableOn(colour))].sort((a, b) => b - a);
    assert.ok((light + 0.05) / (dark + 0.05) >= 4, colour);
  }
});

describe('the stroke font', () => {
  test('has every printable ASCII character, each unlike the others', () => {
    const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
    const seen = new Map<string, string>();
    for (const character of characters) {
      assert.ok(canStroke(character));
      const path = strokedText(character, 0, 0, 1);
      // The letter O and the digit 0 are one shape here, as in many plotter fonts.
      if (character !== 'O') assert.ok(!seen.has(path), `${character} is drawn as ${seen.get(path)}`);
      seen.set(path, character);
      for (const [, x, y] of path.matchAll(/(\S+?) (\d+\.\d+)/g)) {
        assert.ok(Number(x.replace(/^[ML]/, '')) <= strokedWidth(character) && Number(y) <= 8, `${character}: ${path}`);
      }
    }
    assert.ok(!canStroke('é') && !canStroke('\n'));
  });
});
