/** Figures of classes, to be looked up. */
export function byName<T extends { readonly name: string }>(list: readonly T[]): Record<string, T> {
  return Object.fromEntries(list.map((own) => [own.name, own]));
}
