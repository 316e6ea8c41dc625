/** Deterministic uniform numbers in [0, 1). */
export function uniforms(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Boxes [count, 4] within the unit square, sides between `least` and `most`. */
export function randomBoxes(count: number, uniform: () => number, least = 0.02, most = 0.5): Float32Array {
  const boxes = new Float32Array(count * 4);
  for (let at = 0; at < boxes.length; at += 4) {
    const width = least + (most - least) * uniform();
    const height = least + (most - least) * uniform();
    const x = (1 - width) * uniform();
    const y = (1 - height) * uniform();
    boxes.set([x, y, x + width, y + height], at);
  }
  return boxes;
}

/** Boxes that all lie within a few hundredths of one another. */
export function crowd(count: number, uniform: () => number): Float32Array {
  const boxes = new Float32Array(count * 4);
  const near = (value: number) => value + 0.03 * uniform();
  for (let at = 0; at < boxes.length; at += 4) boxes.set([near(0.4), near(0.35), near(0.6), near(0.55)], at);
  return boxes;
}
