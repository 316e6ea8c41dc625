import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { BoxwrightError } from '../../errors.js';

/** One object of a Pascal VOC file, as it is written there. */
export interface VocObject {
  readonly name: string;
  /** xmin, ymin, xmax, ymax; NaN where a number is missing or none. */
  readonly box: readonly number[];
  readonly difficult: boolean;
  readonly truncated: boolean;
}

/** A Pascal VOC file, as it is written. */
export interface VocAnnotation {
  readonly filename?: string;
  /** Undefined where the file gives none, or 0 × 0 as some tools do. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly objects: readonly VocObject[];
}

/** What fast-xml-parser makes of an element: its text, or its children by name. */
type Element = string | { readonly [name: string]: Element | readonly Element[] };

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  isArray: (_name, path) => path === 'annotation.object',
});

/**
 * Parses a Pascal VOC annotation. Throws `BoxwrightError('data')` naming the file, and the line or object, if it is not
 * well-formed XML, is no VOC annotation, or an object has no name or no `bndbox`.
 */
export function parseVocXml(text: string, file: string): VocAnnotation {
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    throw new BoxwrightError('data', `${file}, line ${valid.err.line}: not well-formed XML (${valid.err.msg})`);
  }
  const document = parser.parse(text) as Element;
  const annotation = child(document, 'annotation');
  if (annotation === undefined) {
    throw new BoxwrightError(
      'data',
      `${file}: no <annotation> element, so this is no Pascal VOC file; move it out of the folder`,
    );
  }
  const listed = typeof annotation === 'string' ? [] : ((annotation.object ?? []) as readonly Element[]);
  return {
    filename: textOf(annotation, 'filename'),
    size: sizeOf(annotation),
    objects: listed.map((object, index) => parseObject(object, `${file}, object ${index}`)),
  };
}

function parseObject(object: Element, place: string): VocObject {
  const name = textOf(object, 'name')?.trim();
  if (!name) throw new BoxwrightError('data', `${place}: it has no <name>, so its class is unknown; name or remove it`);
  const bounds = child(object, 'bndbox');
  if (bounds === undefined)
    throw new BoxwrightError('data', `${place} (${name}): it has no <bndbox>; add or remove it`);
  return {
    name,
    box: ['xmin', 'ymin', 'xmax', 'ymax'].map((side) => numberOf(bounds, side)),
    difficult: textOf(object, 'difficult')?.trim() === '1',
    truncated: textOf(object, 'truncated')?.trim() === '1',
  };
}

function sizeOf(annotation: Element): VocAnnotation['size'] {
  const size = child(annotation, 'size');
  if (size === undefined) return undefined;
  const width = numberOf(size, 'width');
  const height = numberOf(size, 'height');
  return width === 0 && height === 0 ? undefined : { width, height };
}

function child(element: Element, name: string): Element | undefined {
  if (typeof element === 'string') return undefined;
  const found = element[name];
  return Array.isArray(found) ? (found as readonly Element[])[0] : (found as Element | undefined);
}

function textOf(element: Element, name: string): string | undefined {
  const found = child(element, name);
  return typeof found === 'string' ? found : undefined;
}

/** NaN for a missing or empty element, which `Number('')` would read as 0. */
function numberOf(element: Element, name: string): number {
  const text = textOf(element, name)?.trim();
  return text ? Number(text) : Number.NaN;
}
