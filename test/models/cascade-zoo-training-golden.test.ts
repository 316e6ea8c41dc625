import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs, shared } from '../shared.js';
import { folder } from './cascade-zoo-golden.js';
import { compareLosses, compareStages, type ZooTraining, zooTraining } from './cascade-zoo-training.js';
import { fast, reference } from './graph-session.js';

let engine: Engine;
let training: ZooTraining;
before(async () => {
  if (!shared(folder)) return;
  engine = await Engine.start({ threads: 2 });
  training = await zooTraining();
});
after(() => engine?.dispose());

test("each stage learns from the zoo's RoIs", needs(folder), async (t) => {
  const { proposals, stages } = await compareStages(engine, training, reference);
  t.diagnostic(`proposals: ${proposals}`);
  t.diagnostic(`stages: ${stages}`);
  proposals.assertBelow(1e-4, 'proposals');
  stages.assertBelow(1e-4, 'stages');
});

test("losses before the first step are the zoo's", needs(folder), async (t) => {
  const losses = await compareLosses(engine, training, fast);
  t.diagnostic(`${losses}`);
  losses.assertBelow(1e-5, 'losses');
});
