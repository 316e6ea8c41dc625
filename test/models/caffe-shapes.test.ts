import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.js';
import { refineDet } from '../../src/models/refinedet/network.js';
import { paperRefineDet } from '../../src/models/refinedet/recipes.js';
import { type ParameterSpec, Parameters } from '../../src/nn/parameters.js';
import { sourceName } from '../../src/weights/loading/maps/name-map.js';
import { refineDetPytorch } from '../../src/weights/loading/maps/refinedet-pytorch.js';
import { needs } from '../shared.js';
import { paperFolder } from './pytorch-golden.js';
import { readJson } from './zoo-golden.js';

interface CaffeLayer {
  readonly layer: string;
  readonly type: string;
  readonly bottom: string[];
  readonly blobs: number[][];
  readonly lr_mult?: number[];
  readonly decay_mult?: number[];
}

function specsOf(backbone: string, size: number, classes: number): ParameterSpec[] {
  const p = new Parameters({ training: true });
  refineDet(p, paperRefineDet(backbone, size, classes), input('pictures', 'float32', [1, 3, size, size]));
  return [...p.specs.values()];
}

/** Shapes by `layer/blob`, without batch norm's scale factor. */
function caffeShapes(layers: readonly CaffeLayer[]): Record<string, readonly number[]> {
  return Object.fromEntries(
    layers.flatMap(({ layer, type, blobs }) =>
      blobs.flatMap((shape, blob) => (type === 'BatchNorm' && blob === 2 ? [] : [[`${layer}/${blob}`, shape]])),
    ),
  );
}

for (const data of ['voc', 'coco']) {
  for (const size of [320, 512]) {
    test(`VGG-16 at ${size} has the Caffe model's blobs, ${data}`, needs(paperFolder), async () => {
      const layers = await readJson<CaffeLayer[]>(`${paperFolder}/names-caffe-vgg16-${data}-${size}.json`);
      const list = await readJson<[string, string, number][]>(`${paperFolder}/correspondence-vgg16.json`);
      const blobOf = new Map<string, string>(list.map(([name, layer, blob]) => [name, `${layer}/${blob}`]));
      const specs = specsOf('vgg16', size, data === 'voc' ? 20 : 80);
      const place = ({ name }: ParameterSpec) => blobOf.get(sourceName(refineDetPytorch, name) ?? '') ?? `? ${name}`;
      assert.deepEqual(Object.fromEntries(specs.map((spec) => [place(spec), spec.shape])), caffeShapes(layers));

      const rules = new Map<string, readonly [number, boolean]>(
        layers.flatMap(({ layer, lr_mult = [], decay_mult = [] }) =>
          lr_mult.map((rate, blob) => [`${layer}/${blob}`, [rate, decay_mult[blob] !== 0]] as const),
        ),
      );
      const told = specs.filter((spec) => rules.has(place(spec)));
      assert.ok(told.length > 90);
      for (const spec of told) assert.deepEqual([spec.rate, spec.decay], rules.get(place(spec)), spec.name);
    });
  }
}

/** Caffe's ResNet stages: a, b1 … b3 in stage 3, a, b1 … b22 in stage 4, a, b, c in 2 and 5. */
function blockName(stage: number, index: number): string {
  if (index === 0) return `${stage}a`;
  return stage === 3 || stage === 4 ? `${stage}b${index}` : `${stage}${'abc'[index]}`;
}

const branches: Readonly<Record<string, string>> = { conv1: '2a', conv2: '2b', conv3: '2c' };
const armMaps = ['res3b3_relu', 'res4b22_relu', 'res5c_relu', 'res6_relu'];
const vectors = ['running_mean', 'running_var'];

/** The Caffe model's `layer/blob` of a parameter of our ResNet-101, worked out from its name. */
function caffeBlob(name: string): string {
  const vector = name.slice(name.lastIndexOf('.') + 1);
  const path = name.slice(0, name.lastIndexOf('.'));
  const norm = (bn: string, scale: string) =>
    vectors.includes(vector) ? `${bn}/${vectors.indexOf(vector)}` : `${scale}/${vector === 'bias' ? 1 : 0}`;
  const block = (base: string, part: string, label: string) => {
    const projection = /^downsample\.([01])$/.exec(part);
    const [kind, number] = [part.slice(0, -1), part.slice(-1)];
    const branch = projection ? '1' : branches[`conv${number}`];
    if (kind === 'conv' || projection?.[1] === '0') return `${base}_branch${branch}/0`;
    return norm(`bn${label}_branch${branch}`, `scale${label}_branch${branch}`);
  };
  const p = (level: string) => `P${Number(level) + 3}`;

  let match = /^backbone\.(conv1|bn1)$/.exec(path);
  if (match) return match[1] === 'conv1' ? 'conv1/0' : norm('bn_conv1', 'scale_conv1');
  match = /^backbone\.layer(\d)\.(\d+)\.(.+)$/.exec(path);
  if (match) {
    const label = blockName(Number(match[1]) + 1, Number(match[2]));
    return block(`res${label}`, match[3], label);
  }
  match = /^backbone\.extra\.(.+)$/.exec(path);
  if (match) return block('res6', match[1], '6');
  match = /^tcb\.(\d)\.(lateral\.[01]|up|output\.0)(\.bn)?$/.exec(path);
  if (match) {
    const [, level, part, bn] = match;
    const lateral = `TL${Number(level) + 3}_${Number(part.slice(-1)) + 1}`;
    const layer = part === 'up' ? `P${Number(level) + 4}-up` : part.startsWith('l') ? lateral : p(level);
    return bn ? norm(`${layer}_bn`, `${layer}_scale`) : `${layer}/0`;
  }
  match = /^(arm|odm)\.block\.(\d)\.(.+)$/.exec(path);
  if (match) {
    const map = match[1] === 'arm' ? armMaps[Number(match[2])] : p(match[2]);
    return block(`res${map}_inter`, match[3], `${map}_inter`);
  }
  match = /^(arm|odm)\.(loc|conf)\.(\d)$/.exec(path);
  if (match) {
    const map = match[1] === 'arm' ? armMaps[Number(match[3])] : p(match[3]);
    return `res${map}_inter_mbox_${match[2]}/${vector === 'bias' ? 1 : 0}`;
  }
  return `? ${name}`;
}

for (const size of [320, 512]) {
  test(`ResNet-101 at ${size} has the Caffe model's blobs, each once`, needs(paperFolder), async () => {
    const layers = await readJson<CaffeLayer[]>(`${paperFolder}/names-caffe-resnet101-coco-${size}.json`);
    const specs = specsOf('resnet101', size, 80);
    const ours = Object.fromEntries(specs.map(({ name, shape }) => [caffeBlob(name), shape]));
    assert.equal(Object.keys(ours).length, specs.length, 'no two parameters are the same blob');
    assert.deepEqual(ours, caffeShapes(layers));
  });
}
