// A web server for tests: files of the package and of its dependencies, and what a test puts beside them.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { root } from '../docs/documents.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

export interface ServedFile {
  readonly type?: string;
  readonly body: string | Uint8Array;
}

/** Served are `files` by their path, dist/, examples/ and node_modules/, and the same below bundled/ for workers. */
export async function servePages(files: Readonly<Record<string, ServedFile>>): Promise<PageServer> {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
    const { type, body } = files[path] ?? (await packaged(path));
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': type ?? types[extname(path)] ?? 'application/octet-stream',
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      // What threads need: a page that nothing of another site can look into.
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'cross-origin',
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://localhost:${port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function packaged(path: string): Promise<{ type?: string; body?: string | Uint8Array }> {
  const [, isBundled, file] = /^\/(bundled\/)?((?:dist|examples|node_modules)\/.*)$/.exec(path) ?? [];
  if (file === undefined) return {};
  const body = await readFile(join(root, file)).catch(() => undefined);
  return { body: isBundled && body ? bundled(body.toString()) : body };
}

/** Names of packages as addresses, as a bundler writes them: workers have no import maps. */
function bundled(code: string): string {
  return Object.entries(imports).reduce((text, [name, path]) => text.replaceAll(`'${name}'`, `'${path}'`), code);
}

const imports = {
  boxwright: '/dist/browser/index.js',
  'onnxruntime-web/wasm': '/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs',
  'onnxruntime-web/webgpu': '/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs',
};

/** Where the page's modules are, for a page without a bundler. */
export const importMap = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
