import { createHash } from 'node:crypto';
import { escapeHtml } from '../page/html.js';

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8883; --quiet: light-dark(#5c6570, #9aa5b1);
  --paper: light-dark(#fff, #121417); --ink: light-dark(#1b2129, #e6eaf0); --warning: light-dark(#a23e05, #f7b267); }
body { background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem; max-width: 110rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
p.quiet, .quiet { color: var(--quiet); margin: 0; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; align-items: start; }
figure { margin: 0; } figcaption { font-size: .8rem; overflow-wrap: anywhere; color: var(--quiet); padding-top: .25rem; }
figcaption b { color: inherit; font-weight: 600; }
svg.picture { display: block; width: 100%; height: auto; background: var(--soft); border-radius: 4px; }
svg.picture rect { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
svg.picture text { fill: #fff; font-weight: 600; paint-order: stroke; stroke: #000c; stroke-width: .2em; stroke-linejoin: round; pointer-events: none; }
svg.picture rect.soft { stroke-dasharray: 5 4; }
.broken { display: grid; place-items: center; aspect-ratio: 4 / 3; background: var(--soft); border-radius: 4px; color: var(--quiet); }
.toggles { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .3rem .9rem; padding: .6rem 0;
  background: var(--paper); border-bottom: 1px solid var(--line); }
.toggles label { display: inline-flex; gap: .35rem; align-items: center; cursor: pointer; }
.swatch { width: .8rem; height: .8rem; border-radius: 2px; display: inline-block; }
.warning { color: var(--warning); }
:focus-visible { outline: 3px solid light-dark(#2463c9, #6ea8fe); outline-offset: 2px; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
td.count, th.count { text-align: right; font-variant-numeric: tabular-nums; }
.columns th { font-weight: 600; font-size: .85rem; padding: .3rem; } .columns td { padding: .3rem; }
.columns { table-layout: fixed; width: 100%; } .scroll { overflow-x: auto; }
`;

/**
 * The beginning of a page that is one file: the browser is forbidden to load anything else and to run any script but the
 * given one, whatever names a data set has.
 */
export function pageHead(title: string, more = '', script = ''): string {
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  const head = `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width, initial-scale=1">`;
  return `<!doctype html>\n<html lang="en"><head>${head}<title>${escapeHtml(title)}</title><style>${style}${more}</style></head><body><main>\n`;
}

export function pageEnd(script = ''): string {
  return `</main>${script && `<script>${script}</script>`}</body></html>\n`;
}
