import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs } from '../shared.js';
import { fast, reference } from './graph-session.js';
import { folder } from './zoo-golden.js';
import { assertFirstStep, assertSteps, compareFirstStep, compareSteps, zooTraining } from './zoo-training.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

test("VGG-16's loss and gradients are the zoo's in the reference form", needs(folder), async (t) => {
  assertFirstStep(t, await compareFirstStep(engine, await zooTraining('vgg16'), 'vgg16', reference), 'vgg16');
});

for (const rate of ['lr', 'small_lr'] as const) {
  test(`three momentum steps are the zoo's, ${rate}`, needs(folder), async (t) => {
    const training = await zooTraining('vgg16');
    const record = rate === 'lr' ? training.record : training.record.small_lr;
    assertSteps(t, await compareSteps(engine, training, record, fast), record, rate);
  });
}

for (const target of [reference, fast]) {
  test(`ResNet-101's loss and gradients are the zoo's, ${target.form} form`, needs(folder), async (t) => {
    assertFirstStep(
      t,
      await compareFirstStep(engine, await zooTraining('resnet101'), 'resnet101', target),
      'resnet101',
    );
  });
}
