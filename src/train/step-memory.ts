import { lowerFor } from '../lowering/index.js';
import { liveBytes } from '../lowering/live-bytes.js';
import type { CanvasSize } from '../models/canvas.js';
import { type SessionSetup, writeStep } from './training-session.js';

/**
 * Fitted to the peaks of 18 runs (docs/benchmarks.md, "Memory of training"), and within 9 % of each: bytes
 * of the process without a model, and how many times it holds the state (twice in the engine, which alternates, once as it
 * began, and in a checkpoint) and the values that the backward pass keeps (the runtime's arena gives a dead value's room
 * only to one of the same shape).
 */
const [process0, perState, perLive] = [350 * 2 ** 20, 4.9, 2.1];

/** Bytes that training takes at its peak, from the shapes of its graphs; on the CPU. */
export function trainingMemory(setup: SessionSetup): number {
  const largest = setup.canvases.reduce((most, canvas) => (area(canvas) > area(most) ? canvas : most));
  const { step } = writeStep(setup, largest);
  const live = lowerFor(Object.values(step.batch.outputs), { provider: 'cpu', form: 'fast' });
  // Each canvas has a session with memory of its own.
  const canvases = setup.canvases.reduce((sum, canvas) => sum + area(canvas), 0) / area(largest);
  let state = 0;
  for (const { data } of setup.parameters.values()) state += data.byteLength;
  for (const shape of step.optimizerState.values()) state += shape.reduce((product, dim) => product * dim, 4);
  return process0 + perState * state + perLive * canvases * liveBytes(live);
}

function area({ width, height }: CanvasSize): number {
  return width * height;
}
