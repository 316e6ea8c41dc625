// Builds the documents and the reference of every export as a site in build/site: `npm run docs:site`.
import { execFileSync, execSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const at = (path) => new URL(path, import.meta.url);

const installed = at('node_modules/.package-lock.json');
if (!existsSync(installed) || statSync(at('package-lock.json')).mtimeMs > statSync(installed).mtimeMs + 1000)
  execSync('npm ci', { stdio: 'inherit', cwd: folder });

const { writePages } = await import('./pages.mjs');
writePages();
execFileSync(process.execPath, ['node_modules/typedoc/bin/typedoc'], { stdio: 'inherit', cwd: folder });
nameReference(at('pages/reference/'));

const { build } = await import('vitepress');
rmSync(at('../build/site'), { recursive: true, force: true });
await build(folder);
const { openAnywhere } = await import('./anywhere.mjs');
const { checkSite } = await import('./check.mjs');
const site = fileURLToPath(at('../build/site/'));
openAnywhere(site);
const { pages, sections } = await checkSite(site);
console.log(`build/site: ${pages} pages, ${sections} sections to search.`);

/** TypeDoc calls the main entry point `index`, after its file, and rules lines where the site has its own. */
function nameReference(reference) {
  rmSync(new URL('README.md', reference));
  renameSync(new URL('index.md', reference), new URL('boxwright.md', reference));
  for (const name of readdirSync(reference)) {
    const file = new URL(name, reference);
    const text = readFileSync(file, 'utf8')
      .replace(/^# boxwright\/index$/m, '# boxwright')
      .replaceAll('](index.md', '](boxwright.md')
      .replaceAll('\n***\n', '')
      .replaceAll(' | - |', ' | |');
    writeFileSync(file, `---\noutline: 2\n---\n\n${text}`);
  }
}
