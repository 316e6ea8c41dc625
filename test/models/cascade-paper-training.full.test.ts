import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs } from '../shared.js';
import { folder } from './cascade-paper-golden.js';
import { compareThreePasses } from './cascade-paper-training.js';

test("three passes and two steps are mmdetection's", needs(folder), async (t) => {
  await using engine = await Engine.start({ threads: 2 });
  await compareThreePasses(engine, t);
});
