// Lets a built site be opened under any path. VitePress writes the path it will stand under into pages and code; here
// pages get relative links in its place, and code asks the page where it stands.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseAst } from 'rollup/parseAst';

const base = '/__base__/';
const place = 'window.__base__';

/** Where the site begins, said by a page `depth` folders below. */
const begin = (depth) => (depth === 0 ? './' : '../'.repeat(depth));

function page(html, depth) {
  const here = `<script>${place}=new URL("${begin(depth)}",location.href).pathname</script>`;
  const parts = html.replace('<head>', `<head>${here}`).split(/(?<=<script[^>]*>)([\s\S]*?)(?=<\/script>)/);
  return parts.map((part, i) => (i % 2 === 1 ? script(part) : part.replaceAll(base, begin(depth)))).join('');
}

/** Every string that holds the path becomes an expression that puts the right one in. */
function script(code) {
  if (!code.includes(base)) return code;
  const found = [];
  collect(parseAst(code), found);
  const edits = found.filter(({ start, end }) => code.slice(start, end).includes(base));
  for (const { start, end } of edits.sort((a, b) => b.start - a.start))
    code = `${code.slice(0, start)}(${code.slice(start, end)}.replaceAll("/__"+"base__/",${place}))${code.slice(end)}`;
  return code;
}

function collect(node, found) {
  if (!node || typeof node !== 'object') return;
  if (node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string')) found.push(node);
  else for (const child of Object.values(node)) collect(child, found);
}

/** Rewrites the site in `folder`. */
export function openAnywhere(folder) {
  rmSync(join(folder, '404.html'), { force: true }); // cannot know how deep it is
  for (const file of readdirSync(folder, { recursive: true })) {
    const path = join(folder, file);
    if (/\.(html|js)$/.test(file)) {
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, file.endsWith('.html') ? page(text, file.split(sep).length - 1) : script(text));
    }
  }
}
