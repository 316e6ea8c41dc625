import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs } from '../shared.js';
import { fast } from './graph-session.js';
import { folder } from './zoo-golden.js';
import { assertFirstStep, assertSteps, compareFirstStep, compareSteps, zooTraining } from './zoo-training.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

test("VGG-16's loss, gradients and momentum steps are the zoo's", needs(folder), async (t) => {
  const training = await zooTraining('vgg16');
  assertFirstStep(t, await compareFirstStep(engine, training, 'vgg16', fast), 'vgg16');
  const record = training.record.small_lr;
  assertSteps(t, await compareSteps(engine, training, record, fast), record, 'small_lr');
});
