// npm run generate:kernels: compiles kernels/pixels.ts by AssemblyScript into src/data/kernels/pixels-wasm.ts, which is
// committed, so that neither users nor tests need the compiler. The source's digest is kept beside and tested.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = 'assemblyscript@0.28.20';
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'boxwright-kernels-'));
try {
  const wasm = join(folder, 'pixels.wasm');
  const flags = ['--runtime', 'stub', '--enable', 'simd', '-O3', '--converge', '--noAssert', '--initialMemory', '1'];
  const line = ['--yes', '--package', compiler, 'asc', at('kernels/pixels.ts'), ...flags, '-o', wasm];
  execFileSync('npx', line, { stdio: 'inherit', cwd: folder });
  const digest = createHash('sha256')
    .update(readFileSync(at('kernels/pixels.ts')))
    .digest('hex');
  const lines = readFileSync(wasm)
    .toString('base64')
    .match(/.{1,110}/g);
  const text = `// Written by npm run generate:kernels from kernels/pixels.ts. Do not edit.

/** Digest of the source. */
export const sourceDigest = '${digest}';

/** The module, base64. */
export const pixelsWasm = [
${lines.map((part) => `  '${part}',`).join('\n')}
].join('');
`;
  writeFileSync(at('src/data/kernels/pixels-wasm.ts'), text);
} finally {
  rmSync(folder, { recursive: true });
}
