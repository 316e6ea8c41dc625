/** Colours of the first classes: far apart from each other and from most photographs. */
const first = [
  '#e6194b',
  '#3cb44b',
  '#4363d8',
  '#ffd60a',
  '#f58231',
  '#a62bd4',
  '#2ad4d4',
  '#f032e6',
  '#9be22d',
  '#0a7d74',
];

/** A colour for each class, the same in every picture; `#rrggbb`. */
export function classColour(labelIndex: number): string {
  if (labelIndex < first.length) return first[labelIndex];
  // The golden angle never comes near a hue that it gave a few classes before.
  const hue = (labelIndex * 137.508) % 360;
  const lightness = [0.5, 0.65, 0.38][labelIndex % 3];
  return hexOf([0, 8, 4].map((n) => channel(n, hue, lightness)));
}

/** White where it is easy to read on a colour (a WCAG contrast of at least 4), else black. */
export function readableOn(colour: string): '#000000' | '#ffffff' {
  const [red, green, blue] = [1, 3, 5].map((at) => linear(Number.parseInt(colour.slice(at, at + 2), 16) / 255));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= 4 ? '#ffffff' : '#000000';
}

/** One channel of a colour of saturation 0.85, CSS Color 4's rule for HSL. */
function channel(n: number, hue: number, lightness: number): number {
  const k = (n + hue / 30) % 12;
  return lightness - 0.85 * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
}

function linear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function hexOf(channels: readonly number[]): string {
  return `#${channels
    .map((value) =>
      Math.round(255 * value)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}
