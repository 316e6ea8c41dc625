/** A name, which somebody else has chosen, as a file's or folder's that no system minds. */
export function safeName(name: string, otherwise: string): string {
  return (
    name
      .replace(/[^\w.-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(-128) || otherwise
  );
}
