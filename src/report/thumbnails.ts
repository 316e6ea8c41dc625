import sharp from 'sharp';

/** Longest side in pixels: boxes are drawn as lines over it, so that it need not be sharp. */
const side = 480;

/**
 * A small upright JPEG as a `data:` address, or undefined for a picture that is gone or broken: a report goes without it.
 */
export async function thumbnail(path: string): Promise<string | undefined> {
  try {
    const small = sharp(path)
      .autoOrient()
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb');
    const bytes = await small.jpeg({ quality: 70 }).toBuffer();
    return `data:image/jpeg;base64,${bytes.toString('base64')}`;
  } catch {
    return undefined;
  }
}
