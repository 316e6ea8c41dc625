/** Bytes that a run may take, and what one of some batch would. */
export interface MemoryFacts {
  readonly available: number;
  /** @param accumulate batches whose gradients make one update. */
  needed(batch: number, accumulate: number): number;
}

/** How many pictures a step takes, and how many steps an update. */
export interface BatchChoice {
  readonly batch: number;
  readonly accumulate: number;
  readonly why: string;
  /** Where even this one may not fit. */
  readonly warning?: string;
}

/** Part of the available memory that is planned with: the estimate is that exact, and others work on the machine too. */
const planned = 0.85;

/** Pictures in a step where memory does not matter. */
export function usualBatch(pictures: number): number {
  return pictures < 1000 ? 4 : 8;
}

/**
 * The usual batch, or the largest half, quarter … of it that fits into the memory; the steps of an update make up for it.
 * Where not even one picture fits this is said and nothing more: the estimate may be wrong, and there may be swap.
 *
 * @param accumulate if it is given, it stays.
 */
export function chooseBatch(pictures: number, accumulate: number | undefined, memory?: MemoryFacts): BatchChoice {
  const usual = usualBatch(pictures);
  const reason = pictures < 1000 ? 'few pictures need many updates' : 'from 1000 pictures on';
  if (!memory) return { batch: usual, accumulate: accumulate ?? 1, why: reason };
  const stepsOf = (batch: number) => accumulate ?? usual / batch;
  const needs = (batch: number) => memory.needed(batch, stepsOf(batch));
  const first = needs(usual);
  const room = planned * memory.available;
  if (first <= room) {
    const why = `${reason}; takes about ${gibi(first)} of the ${gibi(memory.available)} of memory that are free`;
    return { batch: usual, accumulate: stepsOf(usual), why };
  }
  let batch = usual;
  let needed = first;
  while (batch > 1 && needed > room) {
    batch /= 2;
    needed = needs(batch);
  }
  const full = `${usual} would take about ${gibi(first)} of memory, and ${gibi(memory.available)} are free`;
  return {
    batch,
    accumulate: stepsOf(batch),
    why: `${full}; this takes about ${gibi(needed)}`,
    ...(needed > room ? { warning: tooMuch(batch, needed, memory.available) } : {}),
  };
}

/** What to say of a batch that was asked for and may not fit. */
export function warnOfBatch(batch: number, accumulate: number, memory: MemoryFacts): string | undefined {
  const needed = memory.needed(batch, accumulate);
  return needed > memory.available ? tooMuch(batch, needed, memory.available) : undefined;
}

function tooMuch(batch: number, needed: number, available: number): string {
  const what = `Training with ${batch === 1 ? 'one picture' : `${batch} pictures`} in a step takes about ${gibi(needed)} of memory`;
  const advice = batch === 1 ? 'a smaller model or input helps' : 'a smaller --batch with --accumulate helps';
  return `${what}, and ${gibi(available)} are free: it may be slow, or be killed; ${advice}.`;
}

function gibi(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
