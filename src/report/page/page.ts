import { createHash } from 'node:crypto';
import { version } from '../../version.js';
import { escapeHtml, jsonBlock } from './html.js';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';

/** A part of a page, which its navigation leads to. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly html: string;
}

/** What a page is written from. */
export interface Page {
  readonly title: string;
  /** HTML below the title. */
  readonly lead: string;
  readonly sections: readonly Section[];
  /** What the page's script reads. */
  readonly data: { readonly charts: Readonly<Record<string, unknown>>; readonly thresholds?: readonly number[] };
}

/**
 * A page that is one file: style, script, pictures and data are in it. Its policy forbids the browser to load anything
 * else, and to run any other script, whatever names a data set has.
 */
export function writePage({ title, lead, sections, data }: Page): string {
  const hash = createHash('sha256').update(pageScript).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  const links = sections.map((section) => `<li><a href="#${section.id}">${escapeHtml(section.title)}</a></li>`);
  const body = sections.map(
    (section) =>
      `<section aria-labelledby="${section.id}"><h2 id="${section.id}">${escapeHtml(section.title)}</h2>${section.html}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title><style>${pageStyle}</style></head>
<body><a class="skip" href="#content">Skip to the content</a>
<header><div class="top"><h1>${escapeHtml(title)}</h1><button type="button" class="theme" hidden>Theme: auto</button></div>${lead}
<nav aria-label="Sections"><ul>${links.join('')}</ul></nav></header>
<main id="content">${body.join('\n')}</main>
<footer>Written by boxwright ${version}. This page is one file and loads nothing.</footer>
${jsonBlock('report-data', data)}
<script>${pageScript}</script></body></html>
`;
}
