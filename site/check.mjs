// What a built site has to be: every page there, every link leading somewhere, nothing asked of other hosts, no path of
// the machine that built it, and a search that knows the documents and the exports.
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, posix, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import MiniSearch from 'minisearch';
import { pages } from './sidebar.mjs';

/** Words, and a page that a search for them has to offer among the first. */
const known = {
  bootstrap: 'metrics.html',
  labelme: 'data.html',
  outcomesByClass: 'reference/evaluate.html',
  trainingStep: 'reference/nn.html',
};

/** Checks the site in `folder`; throws with all that is wrong. */
export async function checkSite(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => name.split(sep).join('/'));
  const read = (name) => readFileSync(join(folder, name), 'utf8');
  const texts = new Map(names.filter((name) => /\.(html|js|css|json)$/.test(name)).map((name) => [name, read(name)]));
  const html = [...texts.keys()].filter((name) => name.endsWith('.html'));
  const { sections, errors: lost } = await search(
    join(
      folder,
      names.find((name) => name.includes('localSearchIndex')),
    ),
  );
  const errors = [
    ...listed(html),
    ...html.flatMap((name) => deadLinks(name, texts, new Set(names))),
    ...[...texts].flatMap(([name, text]) => [...foreign(name, text), ...paths(name, text)]),
    ...lost,
  ];
  if (errors.length > 0) throw new Error(`The site is not right:\n  ${errors.join('\n  ')}`);
  return { pages: html.length, sections };
}

function listed(html) {
  const wanted = pages.map((page) => `${page}.html`);
  return [
    ...wanted.filter((name) => !html.includes(name)).map((name) => `${name} is missing`),
    ...html.filter((name) => !wanted.includes(name)).map((name) => `${name} has no place in site/sidebar.mjs`),
  ];
}

const decoded = (text) => decodeURIComponent(text.replaceAll('&amp;', '&'));

/** Links and sources of a page that lead to no file of the site, or to no heading of it. */
function deadLinks(name, texts, names) {
  const targets = [...texts.get(name).matchAll(/<[^>]*? (?:href|src)="([^"]*)"/g)].map(([, target]) => target);
  return [...new Set(targets)]
    .filter((target) => !/^(https?:|data:|mailto:)/.test(target))
    .filter((target) => {
      const [path, hash = ''] = target.split('#');
      const to = posix.join(posix.dirname(name), decoded(path));
      const file = path === '' ? name : to === './' || to.endsWith('/') ? posix.join(to, 'index.html') : to;
      return !names.has(file) || (hash && !texts.get(file)?.includes(` id="${decoded(hash)}"`));
    })
    .map((target) => `${name} links to ${target}, which is not there`);
}

/** In VitePress's theme, for links to social media that are given as the name of an icon; the site has none. */
const unused = 'https://api.iconify.design/';

/** What a browser would fetch from elsewhere: links to follow by hand are no such thing. */
function foreign(name, text) {
  const patterns = name.endsWith('.html')
    ? [
        /<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*? (?:src|data)="(?:https?:)?\/\/[^"]*"/g,
        /<link\b[^>]*? href="(?:https?:)?\/\/[^"]*"/g,
      ]
    : [/@import[^;]*\/\/[^;]*;/g, /url\(["']?(?:https?:)?\/\/[^)]*\)/g, /\bfetch\(["'`](?:https?:)?\/\/[^"'`]*/g];
  return patterns
    .flatMap((pattern) => text.match(pattern) ?? [])
    .filter((found) => !found.includes(unused))
    .map((found) => `${name} asks another host: ${found}`);
}

function paths(name, text) {
  const own = [resolve(import.meta.dirname, '..'), homedir()].filter((path) => path.length > 5);
  return own.filter((path) => text.includes(path)).map((path) => `${name} holds a path of this machine: ${path}`);
}

/** Loads the index as the site does, and looks for words. */
async function search(file) {
  globalThis.window = { __base__: '/' };
  const { default: json } = await import(pathToFileURL(file).href);
  delete globalThis.window;
  const index = MiniSearch.loadJSON(json, { fields: ['title', 'titles', 'text'], storeFields: ['title', 'titles'] });
  const errors = Object.entries(known)
    .filter(
      ([word, page]) =>
        !index
          .search(word)
          .slice(0, 10)
          .some(({ id }) => id.startsWith(`/${page}`)),
    )
    .map(([word, page]) => `a search for ${word} does not offer ${page}`);
  return { sections: index.documentCount, errors };
}
