import { BoxwrightError } from '../errors.js';
import type { CardAsset } from './card.js';

/**
 * @param source what errors name.
 * @throws BoxwrightError `data` for a link that is none, or a checksum that is no sha256.
 */
export function requireAsset({ url, sha256 }: Pick<CardAsset, 'url' | 'sha256'>, source: string): void {
  const link = URL.canParse(url) ? new URL(url) : undefined;
  if (link?.protocol !== 'https:' && link?.protocol !== 'http:') {
    throw new BoxwrightError(
      'data',
      `${source}: the link of its asset is "${url}", expected one that begins with https://.`,
    );
  }
  if (link.username || link.password) {
    throw new BoxwrightError('data', `${source}: the link of its asset holds a user name or password; leave it out.`);
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    const found = `"${sha256.slice(0, 80)}" (${sha256.length} characters)`;
    throw new BoxwrightError(
      'data',
      `${source}: its checksum is ${found}, expected the 64 lower-case hexadecimal digits of a sha256.`,
    );
  }
}
