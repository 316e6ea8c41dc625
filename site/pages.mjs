// Turns README, docs/, CHANGELOG, LICENSE, examples/ and schemas/ into the site's pages: the same text, with links that fit there.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { pageName } from './sidebar.mjs';

const root = new URL('../', import.meta.url);
const folder = new URL('pages/', import.meta.url);
const named = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changelog.md',
  LICENSE: 'licence.md',
  'examples/': 'examples/index.md',
};

/** Where a file of the repository stands in the site; undefined if it has no page. */
function placeOf(path) {
  if (named[path]) return named[path];
  if (path.startsWith('docs/')) return path.slice('docs/'.length);
  if (/^(examples|schemas)\//.test(path)) return `${pageName(path)}.md`;
}

/** A document's text with links to other files of the repository turned into links to their pages. */
function linked(text, from) {
  const place = placeOf(from);
  return text
    .replace(/<!--[\s\S]*?-->\n?/g, '')
    .split(/^(```[\s\S]*?^```$)/m)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)/g, relink)))
    .join('');

  function relink(_, target, hash = '') {
    const path = posix.join(posix.dirname(from), target);
    const page = placeOf(path);
    if (!page) throw new Error(`${from} links to ${target}, which has no page in the site (site/pages.mjs).`);
    return `](${posix.relative(posix.dirname(place), page)}${hash})`;
  }
}

function write(path, text) {
  const file = new URL(path, folder);
  mkdirSync(new URL('./', file), { recursive: true });
  writeFileSync(file, text);
}

const read = (path) => readFileSync(new URL(path, root), 'utf8');
const list = (path) => readdirSync(new URL(path, root)).sort();

/** The first paragraph of the comment that a program begins with. */
function about(file, code) {
  const text = /^(?:<!doctype html>\n)?(?:((?:\/\/ .+\n)+)|"""(.+)"""|<!--([\s\S]*?)(?:\n\n|-->))/i.exec(code);
  if (!text) throw new Error(`examples/${file} does not begin with a comment that says what it is.`);
  const found = text.slice(1).find((part) => part !== undefined);
  return found
    .replace(/^\/\/ /gm, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/:$/, '.');
}

const languages = { py: 'python', cpp: 'cpp', html: 'html', mjs: 'js' };

export function writePages() {
  rmSync(folder, { recursive: true, force: true });
  for (const file of [
    'README.md',
    'CHANGELOG.md',
    ...list('docs')
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ])
    write(placeOf(file), linked(read(file), file));
  cpSync(new URL('docs/pictures/', root), new URL('pictures/', folder), { recursive: true });
  write('licence.md', `# Licence\n\n\`\`\`text\n${read('LICENSE')}\`\`\`\n`);
  for (const file of list('schemas')) {
    const text = read(`schemas/${file}`);
    const { title } = JSON.parse(text);
    write(placeOf(`schemas/${file}`), `# ${file}\n\n${title}.\n\n\`\`\`json\n${text}\`\`\`\n`);
  }
  const rows = list('examples').map((file) => {
    const code = read(`examples/${file}`);
    const language = languages[file.split('.').at(-1)];
    write(placeOf(`examples/${file}`), `# ${file}\n\n${about(file, code)}\n\n\`\`\`${language}\n${code}\`\`\`\n`);
    return `| [${file}](${posix.basename(placeOf(`examples/${file}`))}) | ${about(file, code)} |\n`;
  });
  const head = 'Programs to start from. Tests run them.';
  write('examples/index.md', `# Examples\n\n${head}\n\n| program | what it shows |\n|---|---|\n${rows.join('')}`);
}
