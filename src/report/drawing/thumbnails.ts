import sharp from 'sharp';

/**
 * A small JPEG of a file's upright picture, no wider or higher than `size`: boxes are drawn as lines over it, so that it
 * need not be sharp.
 *
 * @throws Error for a picture that is gone or broken.
 */
export function thumbnail(path: string, size: number): Promise<Uint8Array> {
  return sharp(path, { failOn: 'error' })
    .autoOrient()
    .resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .jpeg({ quality: 75 })
    .toBuffer();
}

/** A JPEG as an address that a page can show without a file. */
export function dataAddress(jpeg: Uint8Array): string {
  return `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`;
}
