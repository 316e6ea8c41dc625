/** How a picture comes to the network's size. Plain data. */
export type ResizeRule = StretchRule | KeepRatioRule;

/** Every picture becomes a square; its ratio is not kept. */
export interface StretchRule {
  readonly kind: 'stretch';
  /** Side of the square in pixels. */
  readonly size: number;
}

/**
 * Pictures keep their ratio: scaled by min(long / longer side, short / shorter side), each side rounded to
 * floor(side · scale + 0.5), and put into the upper left corner of a canvas whose rest is zero.
 */
export interface KeepRatioRule {
  readonly kind: 'keep-ratio';
  /** Most pixels of the longer side and of the shorter one. */
  readonly long: number;
  readonly short: number;
  /** A canvas' sides are multiples of this. */
  readonly multiple: number;
  /**
   * One canvas for all pictures (MindSpore zoo). A picture that is then still too high is resized a second time, by
   * height / longer side.
   */
  readonly fixed?: CanvasSize;
}

/** Size of a network's input in pixels, a picture's place and what is padded around it. */
export interface CanvasSize {
  readonly height: number;
  readonly width: number;
}

/** A picture's place in the upper left corner of a canvas: its size there in pixels, and how it came to it. */
export interface Frame extends CanvasSize {
  /**
   * Pixels of the canvas per pixel of the picture. Published: the quotient of the rounded sides. On a fixed canvas: the
   * scale before rounding, the same for both.
   */
  readonly scaleY: number;
  readonly scaleX: number;
  /** Sizes to which it is resized one after the other; the last is the frame's. */
  readonly steps: readonly CanvasSize[];
}

/** A picture's frame by the rule alone, in float64 as the references compute it. No side becomes less than a pixel. */
export function fitted(rule: KeepRatioRule, width: number, height: number): Frame {
  const scale = Math.min(rule.long / Math.max(width, height), rule.short / Math.min(width, height));
  const first = scaled({ width, height }, scale);
  if (!rule.fixed || first.height <= rule.fixed.height) return framed(rule, { width, height }, [first], scale);
  const again = rule.fixed.height / Math.max(first.width, first.height);
  return framed(rule, { width, height }, [first, scaled(first, again)], scale * again);
}

/**
 * A picture's frame in a canvas: by the rule if the canvas contains that (it always contains a stretched picture, which
 * covers it), else as large as the canvas allows.
 */
export function frameOf(rule: ResizeRule, canvas: CanvasSize, { width, height }: CanvasSize): Frame {
  if (rule.kind === 'stretch') {
    return { ...canvas, scaleY: canvas.height / height, scaleX: canvas.width / width, steps: [canvas] };
  }
  const frame = fitted(rule, width, height);
  if (frame.width <= canvas.width && frame.height <= canvas.height) return frame;
  const scale = Math.min(canvas.width / width, canvas.height / height);
  return framed(rule, { width, height }, [scaled({ width, height }, scale)], scale);
}

function scaled({ width, height }: CanvasSize, scale: number): CanvasSize {
  const side = (length: number) => Math.max(1, Math.floor(length * scale + 0.5));
  return { height: side(height), width: side(width) };
}

function framed(rule: KeepRatioRule, picture: CanvasSize, steps: readonly CanvasSize[], scale: number): Frame {
  const { height, width } = steps[steps.length - 1];
  if (rule.fixed) return { height, width, scaleY: scale, scaleX: scale, steps };
  return { height, width, scaleY: height / picture.height, scaleX: width / picture.width, steps };
}

/** The tightest canvas of a picture: its frame with each side rounded up to the rule's multiple, or the rule's only one. */
export function canvasOf(rule: ResizeRule, width: number, height: number): CanvasSize {
  if (rule.kind === 'stretch') return { height: rule.size, width: rule.size };
  if (rule.fixed) return rule.fixed;
  const frame = fitted(rule, width, height);
  const padded = (length: number) => Math.ceil(length / rule.multiple) * rule.multiple;
  return { height: padded(frame.height), width: padded(frame.width) };
}

/** The canvas in which a picture is largest, the smallest of these: the smallest that contains its frame, if one does. */
export function canvasFor(rule: ResizeRule, canvases: readonly CanvasSize[], picture: CanvasSize): number {
  let best = 0;
  let [size, space] = [-1, 0];
  for (const [i, canvas] of canvases.entries()) {
    const [own, around] = [area(frameOf(rule, canvas, picture)), area(canvas)];
    if (own < size || (own === size && around >= space)) continue;
    [best, size, space] = [i, own, around];
  }
  return best;
}

/**
 * A few canvases for the pictures of a data set, each picture within one: graphs of training have fixed shapes, and each
 * shape costs a session. The tight canvases are merged two at a time, the two first that add the least padding, until no
 * more than `most` are left; equal pictures keep their tight one. Ordered by area.
 */
export function chooseCanvases(rule: ResizeRule, pictures: readonly CanvasSize[], most = 3): CanvasSize[] {
  const tight = countShapes(pictures.map(({ width, height }) => ({ ...canvasOf(rule, width, height), pictures: 1 })));
  let groups = tight;
  while (groups.length > Math.max(most, 1)) groups = countShapes(mergeCheapest(groups));
  const used = new Set(tight.map((shape) => groups.find((canvas) => contains(canvas, shape))));
  return groups.filter((group) => used.has(group)).map(({ height, width }) => ({ height, width }));
}

interface CanvasGroup extends CanvasSize {
  readonly pictures: number;
}

/** Groups of the same shape put together, ordered by area and then by height. */
function countShapes(groups: readonly CanvasGroup[]): CanvasGroup[] {
  const shapes = new Map<string, CanvasGroup>();
  for (const { height, width, pictures } of groups) {
    const shape = `${height}×${width}`;
    shapes.set(shape, { height, width, pictures: pictures + (shapes.get(shape)?.pictures ?? 0) });
  }
  return [...shapes.values()].sort((a, b) => area(a) - area(b) || a.height - b.height);
}

function mergeCheapest(groups: readonly CanvasGroup[]): CanvasGroup[] {
  let best: { cost: number; merged: CanvasGroup; parts: readonly CanvasGroup[] } | undefined;
  for (const [i, a] of groups.entries()) {
    for (const b of groups.slice(i + 1)) {
      const merged = {
        height: Math.max(a.height, b.height),
        width: Math.max(a.width, b.width),
        pictures: a.pictures + b.pictures,
      };
      const cost = area(merged) * merged.pictures - area(a) * a.pictures - area(b) * b.pictures;
      if (!best || cost < best.cost) best = { cost, merged, parts: [a, b] };
    }
  }
  return best ? [...groups.filter((group) => !best.parts.includes(group)), best.merged] : [...groups];
}

function contains(canvas: CanvasSize, other: CanvasSize): boolean {
  return other.height <= canvas.height && other.width <= canvas.width;
}

function area({ height, width }: CanvasSize): number {
  return height * width;
}
