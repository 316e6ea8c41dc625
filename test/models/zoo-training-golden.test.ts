import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs } from '../shared.js';
import { fast } from './graph-session.js';
import { folder } from './zoo-golden.js';
import { assertFirstStep, compareFirstStep, zooTraining } from './zoo-training.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

test("VGG-16's loss and gradients are the zoo's", needs(folder), async (t) => {
  assertFirstStep(t, await compareFirstStep(engine, await zooTraining('vgg16'), 'vgg16', fast), 'vgg16');
});
