// The beginning of a run on ../shared/data/bccd.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TrainEvent } from '../../src/train/index.js';
import { train } from '../../src/train/index.js';
import { shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';

export const bccd = 'data/bccd';
type Step = Extract<TrainEvent, { kind: 'step' }>;

interface FirstSteps {
  readonly model: string;
  readonly weights: string;
  /** How many steps. */
  readonly count: number;
  readonly batch?: number;
}

/** What a run says of its weights, and its first steps. */
export async function firstSteps(
  t: TestContext,
  { model, weights, count, batch = 2 }: FirstSteps,
): Promise<{ readonly said: string; readonly steps: readonly Step[] }> {
  const abort = new AbortController();
  const steps: Step[] = [];
  let said = '';
  const out = join(await temporaryFolder(t), 'run');
  const options = { model, weights, out, data: shared(bccd)!, epochs: 1, batch, threads: 2, workers: 1 };
  for await (const event of train({ ...options, evaluateEvery: 0, signal: abort.signal })) {
    if (event.kind === 'start') said = event.weightsNote ?? '';
    if (event.kind === 'step') steps.push(event);
    if (steps.length === count) abort.abort();
  }
  return { said, steps };
}

/** Every loss and each of its parts is a number. */
export function assertFinite(steps: readonly Step[]): void {
  assert.ok(steps.length > 0);
  for (const { step, loss, losses } of steps) {
    assert.ok(Number.isFinite(loss) && loss > 0, `step ${step}: ${loss}`);
    for (const [name, part] of Object.entries(losses))
      assert.ok(Number.isFinite(part), `step ${step}, ${name}: ${part}`);
  }
}
