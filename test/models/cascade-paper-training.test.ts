import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs } from '../shared.js';
import { folder } from './cascade-paper-golden.js';
import { compareFirstPass } from './cascade-paper-training.js';

test("losses and gradients are mmdetection's", needs(folder), async (t) => {
  await using engine = await Engine.start({ threads: 2 });
  await compareFirstPass(engine, t);
});
