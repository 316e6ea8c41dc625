// Makes a fresh clone ready: installs the dependencies if the lock file is newer than what is installed, then builds.
// `npm run demo` and `npm test` call it first, so that either is one command from a clone; a second run is quick.
import { execSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`boxwright needs Node.js 20.19 or newer; this is ${process.version}. Get it from https://nodejs.org.`);
  process.exit(1);
}
const at = (path) => new URL(`../${path}`, import.meta.url);
const installed = at('node_modules/.package-lock.json');
if (!existsSync(installed) || statSync(at('package-lock.json')).mtimeMs > statSync(installed).mtimeMs + 1000) {
  console.log('Installing dependencies (npm ci) …');
  execSync('npm ci', { stdio: 'inherit', cwd: at('.') });
}
const { build, buildTests } = await import('./build.mjs');
build();
if (process.env.npm_lifecycle_event !== 'demo') buildTests();
