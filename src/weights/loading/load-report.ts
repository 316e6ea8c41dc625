/** What became of a file's tensors and of a model's parameters. */
export interface LoadReport {
  /** Whose names the file has. */
  readonly source: string;
  /** Parameters that the file gives values to. */
  readonly taken: readonly string[];
  /** What was done to them besides copying, in words. */
  readonly changes: readonly string[];
  /** Parameters without a tensor in the file. */
  readonly missing: readonly string[];
  /** Tensors whose shape or type does not fit. */
  readonly misfits: readonly Misfit[];
  /** Tensors that the model has no place for. */
  readonly left: readonly string[];
  /** Tensors that no detector of this source needs, such as optimizer state. */
  readonly unused: readonly string[];
  /** Parts of the file that were not read, such as an optimizer or averaged weights beside the others. */
  readonly leftOut?: string;
  /** Layers of another class list, and the classes whose rows were carried over. */
  readonly classes?: { readonly layers: readonly string[]; readonly carried: readonly string[] };
}

/** A tensor that is there and does not fit. */
export interface Misfit {
  readonly name: string;
  readonly parameter: string;
  /** Type and shape, such as `float32[64, 3, 7, 7]`. */
  readonly found: string;
  readonly expected: string;
}

/** The first of some names. */
export function someOf(names: readonly string[], most = 3): string {
  return names.slice(0, most).join(', ') + (names.length > most ? ', …' : '');
}

/** A report in one sentence. */
export function describeReport(path: string, report: LoadReport): string {
  const { source, taken, changes, missing, misfits, left, leftOut, classes } = report;
  const parts = [`${taken.length} parameters from ${path} (${source})`, ...changes];
  if (missing.length > 0) parts.push(`${missing.length} start fresh (${someOf(missing)})`);
  if (classes) parts.push(describeClasses(classes));
  if (misfits.length > 0) {
    const names = someOf(misfits.map(({ name }) => name));
    parts.push(`${misfits.length} have another shape and start fresh (${names})`);
  }
  if (left.length > 0) parts.push(`${left.length} tensors of the file have no place here (${someOf(left)})`);
  if (leftOut) parts.push(`not read: ${leftOut}`);
  return parts.join('; ');
}

function describeClasses({ layers, carried }: NonNullable<LoadReport['classes']>): string {
  const start = `${layers.length} tensors of the heads are for other classes and start fresh`;
  if (carried.length === 0) return start;
  return `${start}, but for the rows of ${someOf(carried, 5)} and the background`;
}
