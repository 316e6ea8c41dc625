import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs } from '../shared.js';
import { paperFolder } from './pytorch-golden.js';
import { compareTraining } from './pytorch-training.js';

test("three steps are the PyTorch port's", needs(paperFolder), async (t) => {
  await using engine = await Engine.start({ threads: 2 });
  await compareTraining(engine, t, true);
});
