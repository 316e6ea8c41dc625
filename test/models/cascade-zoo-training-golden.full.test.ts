import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { needs, shared } from '../shared.js';
import { folder } from './cascade-zoo-golden.js';
import { compareGradients, compareTwoSteps, type ZooTraining, zooTraining } from './cascade-zoo-training.js';
import { fast, reference } from './graph-session.js';

let engine: Engine;
let training: ZooTraining;
before(async () => {
  if (!shared(folder)) return;
  engine = await Engine.start({ threads: 2 });
  training = await zooTraining();
});
after(() => engine?.dispose());

/**
 * Beyond the backbone 1e-3, the rule for gradients. Within it units stand at the corners of ReLU: noise of 1e-7 on the
 * backbone's weights moves single values by up to 7.6e-3 (median 2.7e-4) and norms by 3e-4 (median 4e-5). Limits are
 * twice that, and 1e-3 for the norms. The corner that the folder's README names, in the first head, moves the total by
 * 1.5e-5.
 */
for (const target of [reference, fast]) {
  test(`loss and gradients are the zoo's, ${target.form} form`, needs(folder), async (t) => {
    const { losses, norms, backbone, others, total } = await compareGradients(engine, training, target);
    t.diagnostic(`losses: ${losses}`);
    t.diagnostic(`gradient norms: ${norms}`);
    t.diagnostic(`gradient values of the backbone: ${backbone}`);
    t.diagnostic(`gradient values beyond it: ${others}`);
    t.diagnostic(`norm of all gradients: ${total.toExponential(2)}`);
    losses.assertBelow(1e-5, 'losses');
    norms.assertBelow(1e-3, 'gradient norms');
    assert.ok(norms.median < 8e-5, `median error of gradient norms ${norms.median}`);
    others.assertBelow(1e-3, 'gradient values beyond the backbone');
    backbone.assertBelow(1.5e-2, 'gradient values of the backbone');
    assert.ok(backbone.median < 6e-4, `median error of gradient values ${backbone.median}`);
    assert.ok(total < 3e-5, `norm of all gradients: ${total}`);
  });
}

/**
 * The RPN learns what the record learned. What the stages learn in the second step hinges on boxes without height (see
 * the README there), which is as far as recorded weights hold: to 1e-4, their median to 1e-7, in units of the weights.
 */
test("two steps of momentum are the zoo's", needs(folder), async (t) => {
  const { losses, rpn, apart } = await compareTwoSteps(engine, training, fast);
  t.diagnostic(`RPN's losses after one step: ${losses}`);
  t.diagnostic(`RPN's weights after two: ${rpn}`);
  t.diagnostic(`all weights, absolute: ${apart}`);
  losses.assertBelow(1e-5, "RPN's losses after one step");
  rpn.assertBelow(1e-6, "RPN's weights");
  apart.assertBelow(1e-4, 'weights');
  assert.ok(apart.median < 2e-7, `median difference of weights ${apart.median}`);
});
