/**
 * How training pictures are varied, as plain data that can be sent to a worker or written into a run's configuration.
 * Steps that are present act in this order: mosaic, rotate90, photometric, scaleJitter or expand and crop, flip, resize,
 * jitter, mixUp, cutOut. Every random step but the crop acts half of the time, or as often as it says.
 */
export interface AugmentationRecipe {
  readonly mosaic?: MosaicRecipe;
  /** Turns the picture by 0, 90, 180 or 270 degrees, with equal chances. */
  readonly rotate90?: boolean;
  /** In place of `expand` and `crop`. */
  readonly scaleJitter?: ScaleJitterRecipe;
  readonly mixUp?: MixUpRecipe;
  readonly cutOut?: CutOutRecipe;
  readonly photometric?: PhotometricRecipe;
  readonly expand?: ExpandRecipe;
  readonly crop?: CropRecipe;
  /** Mirror left and right, half of the time: the picture, or the whole canvas, so that the padding moves left (zoo). */
  readonly flip?: boolean | 'canvas';
  readonly jitter?: JitterRecipe;
  /**
   * Boxes on canvases count pixels, as the zoo's Cascade R-CNN has it: truncated to whole pixels of the source first, cut
   * to the last pixel of the picture (width − 1), and mirrored to width − 1 − x.
   */
  readonly pixelBoxes?: boolean;
}

/** SSD's photometric distortion (Liu et al. 2016, after Howard 2013), on floating-point values that are not clipped. */
export interface PhotometricRecipe {
  /** Largest amount added to every channel, of 255. */
  readonly brightness: number;
  /** Range of the factor on every channel, before or after the change of hue and saturation. */
  readonly contrast: readonly [low: number, high: number];
  /** Range of the factor on HSV's saturation. */
  readonly saturation: readonly [low: number, high: number];
  /** Largest turn of HSV's hue, in degrees. */
  readonly hue: number;
  /** Half of the time one of the six orders of the channels. */
  readonly channelShuffle: boolean;
}

/** Puts the picture somewhere on a larger canvas, half of the time. */
export interface ExpandRecipe {
  /** The canvas has 1 to this many times the width and height. */
  readonly maxRatio: number;
  /** RGB of the canvas. */
  readonly fill: readonly [red: number, green: number, blue: number];
  /** The canvas is made of bytes and resized as such (zoo), where SSD's is of float32. Not together with `photometric`. */
  readonly bytes?: boolean;
}

/** Four pictures in one, around a random point (Bochkovskiy et al. 2020, YOLOv4). */
export interface MosaicRecipe {
  /** How often, 0 to 1. */
  readonly chance: number;
}

/** Two pictures over each other, with the boxes of both (Zhang et al. 2019, Bag of Freebies). */
export interface MixUpRecipe {
  /** How often, 0 to 1. */
  readonly chance: number;
  /** Range of the first picture's share. */
  readonly share: readonly [low: number, high: number];
}

/** The picture enlarged and cut, or shrunk and put on a canvas of its size (Ghiasi et al. 2021, large scale jitter). */
export interface ScaleJitterRecipe {
  /** Range of the factor, drawn evenly on a logarithmic scale. */
  readonly range: readonly [low: number, high: number];
  /** RGB around a shrunk picture. */
  readonly fill: readonly [red: number, green: number, blue: number];
}

/** Rectangles of one colour over the picture (DeVries and Taylor 2017). */
export interface CutOutRecipe {
  /** How often, 0 to 1. */
  readonly chance: number;
  /** Most rectangles in a picture; at least one. */
  readonly count: number;
  /** Range of a rectangle's sides as shares of the picture's. */
  readonly side: readonly [low: number, high: number];
  readonly fill: readonly [red: number, green: number, blue: number];
  /** An object of which the rectangles together hide more than this share is no longer asked for. */
  readonly hidden: number;
}

/** A crop: the whole picture, any crop with an object in it, or one with at least this IoU to objects. */
export type CropMode = 'whole' | 'free' | number;

/** A random crop of 0.3 to 1 of width and height that keeps the boxes whose centre is inside. */
export interface CropRecipe {
  /** One is chosen with equal chances. */
  readonly modes: readonly CropMode[];
  /**
   * What a numbered mode m asks of the IoUs between the crop and the boxes.
   * `any`: the largest is at least m (SSD in Caffe). `none`: nothing, as luuuyi/RefineDet.PyTorch does by mistake.
   * `zoo`: not both the smallest below m and the largest above m + 0.2, of boxes that overlap (MindSpore zoo).
   */
  readonly condition: 'any' | 'none' | 'zoo';
  /** Failed tries before giving up the mode. */
  readonly tries: number;
  /** After that: choose a mode again, or leave the picture whole. */
  readonly afterTries: 'redraw' | 'whole';
}

/** Brightness, contrast and saturation on the resized bytes in random order, each × uniform(1 - v, 1 + v). */
export interface JitterRecipe {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

/** RGB mean of ImageNet as VGG's preprocessing has it, with which SSD fills its canvas. */
const vggMean = [123, 117, 104] as const;

/**
 * The published augmentation (SSD's, as the RefineDet authors' Caffe configurations have it), but that the resize is always
 * bilinear where Caffe draws one of five interpolations, and that a crop keeps at least one box.
 */
export const paperAugmentation: AugmentationRecipe = {
  photometric: { brightness: 32, contrast: [0.5, 1.5], saturation: [0.5, 1.5], hue: 18, channelShuffle: false },
  expand: { maxRatio: 4, fill: vggMean },
  crop: { modes: ['whole', 0.1, 0.3, 0.5, 0.7, 0.9, 'free'], condition: 'any', tries: 50, afterTries: 'redraw' },
  flip: true,
};

/** The augmentation of the PyTorch reference (luuuyi/RefineDet.PyTorch), with its crop condition that never fails. */
export const paperPytorchAugmentation: AugmentationRecipe = {
  ...paperAugmentation,
  photometric: { brightness: 32, contrast: [0.5, 1.5], saturation: [0.5, 1.5], hue: 18, channelShuffle: true },
  crop: { modes: ['whole', 0.1, 0.3, 0.7, 0.9, 'free'], condition: 'none', tries: 50, afterTries: 'redraw' },
};

/** The augmentation of the MindSpore zoo's RefineDet (r1.7). */
export const zooAugmentation: AugmentationRecipe = {
  crop: { modes: ['whole', 0.1, 0.3, 0.5, 0.7, 0.9], condition: 'zoo', tries: 50, afterTries: 'whole' },
  flip: true,
  jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
};

/** The published augmentation of Cascade R-CNN. */
export const cascadeAugmentation: AugmentationRecipe = { flip: true };

/**
 * For the smaller Cascade R-CNNs, which are for small data sets: SSD's, which turns a few hundred pictures into many, with
 * less room around them, since a canvas of some 400 pixels leaves little of an object that is shrunk to a quarter.
 */
export const cascadeSmallAugmentation: AugmentationRecipe = {
  ...paperAugmentation,
  expand: { maxRatio: 1.5, fill: vggMean },
};

/** The augmentation of the MindSpore zoo's Cascade R-CNN (r1.8). */
export const cascadeZooAugmentation: AugmentationRecipe = {
  expand: { maxRatio: 4, fill: [0, 0, 0], bytes: true },
  flip: 'canvas',
  pixelBoxes: true,
};

/** Only the resize, as at evaluation. */
export const noAugmentation: AugmentationRecipe = {};
