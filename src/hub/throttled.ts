/** Milliseconds between two reports of progress. */
const reportEvery = 100;

/** Calls `report` now and then, however often it is called itself. */
export function throttled<A extends unknown[]>(report: (...args: A) => void): (...args: A) => void {
  let last = 0;
  return (...args) => {
    if (performance.now() - last < reportEvery) return;
    last = performance.now();
    report(...args);
  };
}
