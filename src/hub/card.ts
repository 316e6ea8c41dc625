/** Where published weights are, and all that is needed to check and to use them. */
export interface Card {
  /** What `pull` and `Detector.load` call it, such as `refinedet_coco2017`. */
  readonly name: string;
  /** The boxwright model that the weights fit; absent where only the file is known, which can be pulled but not run. */
  readonly model?: string;
  /** Names of the objects by label, without a background. */
  readonly classes?: readonly string[];
  readonly asset: CardAsset;
  /** Data set that the weights were trained on. */
  readonly trainedOn: string;
  /** Accuracy that the authors report, in their words or ours. */
  readonly reported?: string;
  readonly licence?: string;
  /** Where the source of the network is. */
  readonly repository?: string;
}

/** The file behind a card. */
export interface CardAsset {
  /** `https:` or `http:`, without a user or password. */
  readonly url: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** Bytes of the file, if they are known. A download that brings more is ended; without them, at 4 GiB. */
  readonly bytes?: number;
  /** The file's format as the card names it, such as `ckpt`. */
  readonly format: string;
}
