// Inner loops over pixels, in AssemblyScript (TypeScript's syntax, WebAssembly's types): `npm run generate:kernels` turns
// them into src/data/kernels/pixels-wasm.ts. Arguments are addresses in the memory, which the caller lays out.

/** 2⁻²³, which keeps OpenCV's float HSV from dividing by zero. */
const EPSILON: f32 = 1.1920928955078125e-7;

/**
 * One row of RGB bytes mixed from neighbouring pixels, in fixed point: `out` has four values of 32 bits for each of `count`
 * pixels (the fourth means nothing). `first` and `second` are offsets in bytes from `source`, weights of 0 … 2048.
 */
export function mixColumnsBytes(
  source: usize,
  first: usize,
  second: usize,
  firstWeight: usize,
  secondWeight: usize,
  count: i32,
  out: usize,
): void {
  for (let i: i32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    const a = widen(v128.load32_zero(source + load<u32>(first + at)));
    const b = widen(v128.load32_zero(source + load<u32>(second + at)));
    const mixed = i32x4.add(
      i32x4.mul(a, v128.load32_splat(firstWeight + at)),
      i32x4.mul(b, v128.load32_splat(secondWeight + at)),
    );
    v128.store(out + (at << 2), i32x4.shr_s(mixed, 4));
  }
}

// @ts-ignore: decorator
@inline
function widen(bytes: v128): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
}

/** Two rows of `mixColumnsBytes` mixed into RGB bytes: three for each of `count` pixels, and one byte behind. */
export function mixRowsBytes(upper: usize, lower: usize, wa: i32, wb: i32, count: i32, out: usize): void {
  const upperWeight = i32x4.splat(wa);
  const lowerWeight = i32x4.splat(wb);
  const two = i32x4.splat(2);
  for (let i: i32 = 0; i < count; i++) {
    const at = <usize>i << 4;
    const a = i32x4.shr_s(i32x4.mul(upperWeight, v128.load(upper + at)), 16);
    const b = i32x4.shr_s(i32x4.mul(lowerWeight, v128.load(lower + at)), 16);
    const mixed = i32x4.shr_s(i32x4.add(i32x4.add(a, b), two), 2);
    store<u32>(out + <usize>(i * 3), pack(mixed));
  }
}

// @ts-ignore: decorator
@inline
function pack(values: v128): u32 {
  const narrow = i16x8.narrow_i32x4_s(values, values);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(narrow, narrow), 0);
}

/**
 * Distorted pixels: `columns` are offsets in bytes from `source`, `count` of them, a multiple of four. `out` has four floats
 * for each: RGB in the order of `order` (for red, green and blue of the result the channel it is taken from) and 0.
 */
export function distort(
  source: usize,
  columns: usize,
  count: i32,
  brightness: f32,
  before: f32,
  after: f32,
  saturation: f32,
  turnBy: f32,
  shift: i32,
  order: i32,
  out: usize,
): void {
  const add = f32x4.splat(brightness);
  const early = f32x4.splat(before);
  const late = f32x4.splat(after);
  const low = i32x4.splat(255);
  const zero = f32x4.splat(0);
  for (let i: i32 = 0; i < count; i += 4) {
    const at = columns + (<usize>i << 2);
    let bytes = v128.load32_zero(source + load<u32>(at));
    bytes = v128.load_lane<u32>(source + load<u32>(at, 4), bytes, 1);
    bytes = v128.load_lane<u32>(source + load<u32>(at, 8), bytes, 2);
    bytes = v128.load_lane<u32>(source + load<u32>(at, 12), bytes, 3);
    let red = prepared(v128.and(bytes, low), add, early);
    let green = prepared(v128.and(i32x4.shr_u(bytes, 8), low), add, early);
    let blue = prepared(v128.and(i32x4.shr_u(bytes, 16), low), add, early);
    if (shift > 0) {
      const value = f32x4.pmax(f32x4.pmax(red, green), blue);
      const range = f32x4.sub(value, f32x4.pmin(f32x4.pmin(red, green), blue));
      const share = f32x4.div(range, f32x4.add(f32x4.abs(value), f32x4.splat(EPSILON)));
      const part = f32x4.mul(share, f32x4.splat(saturation));
      const scale = f32x4.div(f32x4.splat(60), f32x4.add(range, f32x4.splat(EPSILON)));
      const ofRed = f32x4.mul(f32x4.sub(green, blue), scale);
      const ofGreen = f32x4.add(f32x4.mul(f32x4.sub(blue, red), scale), f32x4.splat(120));
      const ofBlue = f32x4.add(f32x4.mul(f32x4.sub(red, green), scale), f32x4.splat(240));
      const hue = v128.bitselect(
        ofRed,
        v128.bitselect(ofGreen, ofBlue, f32x4.eq(value, green)),
        f32x4.eq(value, red),
      );
      const sector = f32x4.div(turned(hue, f32x4.splat(turnBy)), f32x4.splat(60));
      red = without(value, part, between(f32x4.sub(f32x4.splat(2), away(sector, 3))));
      green = without(value, part, between(f32x4.sub(away(sector, 2), f32x4.splat(1))));
      blue = without(value, part, between(f32x4.sub(away(sector, 4), f32x4.splat(1))));
    }
    red = f32x4.mul(red, late);
    green = f32x4.mul(green, late);
    blue = f32x4.mul(blue, late);
    const x = pick(red, green, blue, order & 3);
    const y = pick(red, green, blue, (order >> 2) & 3);
    const z = pick(red, green, blue, (order >> 4) & 3);
    const xy = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
    const z0 = v128.shuffle<f32>(z, zero, 0, 4, 1, 5);
    const xyHigh = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
    const z0High = v128.shuffle<f32>(z, zero, 2, 6, 3, 7);
    const to = out + (<usize>i << 4);
    v128.store(to, v128.shuffle<u64>(xy, z0, 0, 2));
    v128.store(to, v128.shuffle<u64>(xy, z0, 1, 3), 16);
    v128.store(to, v128.shuffle<u64>(xyHigh, z0High, 0, 2), 32);
    v128.store(to, v128.shuffle<u64>(xyHigh, z0High, 1, 3), 48);
  }
}

// @ts-ignore: decorator
@inline
function prepared(bytes: v128, add: v128, factor: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.convert_i32x4_u(bytes), add), factor);
}

// @ts-ignore: decorator
@inline
function pick(red: v128, green: v128, blue: v128, channel: i32): v128 {
  return channel == 0 ? red : channel == 1 ? green : blue;
}

/** A hue in degrees brought to 0..360, turned, and brought back once, as the reference does. */
// @ts-ignore: decorator
@inline
function turned(hue: v128, by: v128): v128 {
  const round = f32x4.splat(360);
  const zero = f32x4.splat(0);
  const positive = f32x4.add(hue, v128.and(f32x4.lt(hue, zero), round));
  const after = f32x4.add(positive, by);
  const over = v128.and(f32x4.gt(after, round), round);
  const under = v128.and(f32x4.lt(after, zero), round);
  return f32x4.add(f32x4.sub(after, over), under);
}

/** A channel that lacks so much of the saturated part. */
// @ts-ignore: decorator
@inline
function without(value: v128, part: v128, lack: v128): v128 {
  return f32x4.mul(value, f32x4.sub(f32x4.splat(1), f32x4.mul(part, lack)));
}

/** Distance on the hue circle from the channel opposite, in sectors: what decides how much of the amplitude is lacking. */
// @ts-ignore: decorator
@inline
function away(sector: v128, opposite: f32): v128 {
  return f32x4.abs(f32x4.sub(sector, f32x4.splat(opposite)));
}

// @ts-ignore: decorator
@inline
function between(value: v128): v128 {
  return f32x4.pmax(f32x4.pmin(value, f32x4.splat(1)), f32x4.splat(0));
}

/** One row mixed from neighbouring pixels of four floats: `first` and `second` are offsets in bytes from `source`. */
export function mixColumnsFloats(
  source: usize,
  first: usize,
  second: usize,
  share: usize,
  count: i32,
  out: usize,
): void {
  const one = f32x4.splat(1);
  for (let i: i32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    const f = v128.load32_splat(share + at);
    const a = f32x4.mul(v128.load(source + load<u32>(first + at)), f32x4.sub(one, f));
    const b = f32x4.mul(v128.load(source + load<u32>(second + at)), f);
    v128.store(out + (at << 2), f32x4.add(a, b));
  }
}

/** Two rows of `mixColumnsFloats` mixed into RGB bytes, rounded half to even and clipped; one byte behind is written too. */
export function mixRowsFloats(upper: usize, lower: usize, share: f32, count: i32, out: usize): void {
  const f = f32x4.splat(share);
  const rest = f32x4.splat(1 - share);
  for (let i: i32 = 0; i < count; i++) {
    const at = <usize>i << 4;
    const a = f32x4.mul(v128.load(upper + at), rest);
    const b = f32x4.mul(v128.load(lower + at), f);
    const rounded = f32x4.nearest(f32x4.add(a, b));
    store<u32>(out + <usize>(i * 3), pack(i32x4.trunc_sat_f32x4_s(rounded)));
  }
}

/** The same as floats: three for each of `count` pixels, and one float behind. */
export function mixRowsToFloats(upper: usize, lower: usize, share: f32, count: i32, out: usize): void {
  const f = f32x4.splat(share);
  const rest = f32x4.splat(1 - share);
  for (let i: i32 = 0; i < count; i++) {
    const at = <usize>i << 4;
    const a = f32x4.mul(v128.load(upper + at), rest);
    const b = f32x4.mul(v128.load(lower + at), f);
    v128.store(out + <usize>(i * 12), f32x4.add(a, b));
  }
}

/** Every byte replaced by its entry in a table of 256; up to three bytes behind are too. */
export function mapBytes(pixels: usize, length: i32, table: usize): void {
  const end = pixels + <usize>length;
  for (let at = pixels; at < end; at += 4) {
    const four = load<u32>(at);
    const low = <u32>load<u8>(table + (four & 255)) | (<u32>load<u8>(table + ((four >> 8) & 255)) << 8);
    const high = <u32>load<u8>(table + ((four >> 16) & 255)) | (<u32>load<u8>(table + (four >> 24)) << 8);
    store<u32>(at, low | (high << 16));
  }
}

// OpenCV's fixed-point grey of an RGB pixel, of 2¹⁴.
// @ts-ignore: decorator
@inline
function greyOf(red: i32, green: i32, blue: i32): i32 {
  return (red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14;
}

/** Sum of the greys of `count` RGB pixels, their bytes replaced by a table's. */
export function sumGreys(pixels: usize, count: i32, table: usize): f64 {
  let sum: i64 = 0;
  const end = pixels + <usize>count * 3;
  for (let at = pixels; at < end; at += 3) {
    const red = <i32>load<u8>(table + load<u8>(at));
    const green = <i32>load<u8>(table + load<u8>(at, 1));
    const blue = <i32>load<u8>(table + load<u8>(at, 2));
    sum += greyOf(red, green, blue);
  }
  return <f64>sum;
}

/**
 * Each of `count` RGB pixels, its bytes replaced by a table's, mixed with its own grey, rounded half to even and clipped.
 * `scaled` and `greys` have 256 doubles each: a byte's share, and a grey's.
 */
export function mixGreys(pixels: usize, count: i32, table: usize, scaled: usize, greys: usize): void {
  const end = pixels + <usize>count * 3;
  for (let at = pixels; at < end; at += 3) {
    const red = <usize>load<u8>(table + load<u8>(at));
    const green = <usize>load<u8>(table + load<u8>(at, 1));
    const blue = <usize>load<u8>(table + load<u8>(at, 2));
    const grey = v128.load64_splat(greys + (<usize>greyOf(<i32>red, <i32>green, <i32>blue) << 3));
    const two = v128.load_lane<u64>(scaled + (green << 3), v128.load64_zero(scaled + (red << 3)), 1);
    const one = v128.load64_zero(scaled + (blue << 3));
    // Added to this number, a value is rounded half to even into the lower half of its 64 bits.
    const first = f64x2.add(f64x2.add(two, grey), f64x2.splat(6755399441055744));
    const second = f64x2.add(f64x2.add(one, grey), f64x2.splat(6755399441055744));
    const packed = pack(v128.shuffle<u32>(first, second, 0, 2, 4, 6));
    // Not four bytes at once: the next pixel, which begins there, would have to wait for this one.
    store<u16>(at, <u16>packed);
    store<u8>(at, <u8>(packed >> 16), 2);
  }
}
