/** A decoded picture: RGB bytes `[height, width, 3]`. */
export interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}
