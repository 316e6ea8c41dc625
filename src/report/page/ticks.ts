/** Round numbers within a range, some `count` of them: 1, 2 or 5 times a power of ten apart. */
export function linearTicks(from: number, to: number, count: number): number[] {
  const raw = (to - from) / count;
  if (!(raw > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999)!;
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

/** Powers of ten within a range of positive numbers, with their twos and fives where there are few. */
export function logTicks(from: number, to: number): number[] {
  const powers: number[] = [];
  const between: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const factor of [1, 2, 5]) {
      const value = Number((factor * 10 ** power).toPrecision(12));
      if (value < from * 0.999 || value > to * 1.001) continue;
      between.push(value);
      if (factor === 1) powers.push(value);
    }
  }
  return powers.length >= 3 ? powers : between;
}
