import { sidebar } from '../sidebar.mjs';

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="2" y="2" width="8" height="8" fill="none" stroke="#0969da" stroke-width="2"/><rect x="6" y="6" width="8" height="8" fill="none" stroke="#1a7f37" stroke-width="2"/></svg>';

/** A heading's name in links, as GitHub makes it: links then lead there and here. */
const slugify = (title) =>
  title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');

const plain = (html) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&\w+;|\s+/g, ' ')
    .trim();

/**
 * What search finds in a page: of a schema its name; of the reference a section for each export with what it is, since lists of
 * parameters and properties would come before the documents. Other pages as VitePress splits them.
 */
function sections(file, html) {
  // A schema has every word of what it describes, and json.md leads to it.
  if (/[\\/]schemas[\\/]/.test(file))
    return [{ anchor: '', titles: [plain(/<h1 [^>]*>(.*?)<a/.exec(html)[1])], text: '' }];
  if (!/[\\/]reference[\\/]/.test(file)) return;
  const [head, ...exports] = html.split(/(?=<h2 )/);
  const entry = plain(/<h1 [^>]*>(.*?)<a/.exec(head)[1]);
  return [
    { anchor: '', titles: [entry], text: plain(head) },
    ...exports.map((part) => {
      const [, anchor, title] = /<h2 id="([^"]*)"[^>]*>(.*?)<a class="header-anchor"/.exec(part);
      return {
        anchor,
        titles: [entry, plain(title)],
        text: plain(part.slice(part.indexOf('</h2>')).split(/<h3|<table/)[0]),
      };
    }),
  ];
}

// biome-ignore lint/style/noDefaultExport: VitePress reads it.
export default {
  title: 'boxwright',
  description: 'Train, evaluate, run and ship object detectors from TypeScript.',
  lang: 'en',
  srcDir: 'pages',
  outDir: '../build/site',
  cacheDir: '../build/site-cache',
  base: '/__base__/', // which site/anywhere.mjs turns into where the site happens to be opened
  head: [
    ['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }],
    // The site asks nobody but the host that it comes from; a browser holds it to that.
    ['meta', { 'http-equiv': 'Content-Security-Policy', content: "default-src 'self' 'unsafe-inline' data:" }],
  ],
  markdown: { theme: { light: 'github-light', dark: 'github-dark' }, anchor: { slugify } },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: {
      provider: 'local',
      // A small b: long sections that say a word often come before short ones that say it once.
      options: { miniSearch: { _splitIntoSections: sections, searchOptions: { bm25: { k: 1.2, d: 0.5, b: 0.2 } } } },
    },
    docFooter: { prev: 'Before', next: 'Next' },
  },
  vite: { build: { chunkSizeWarningLimit: 4096 } }, // kB; the search index is one chunk
};
