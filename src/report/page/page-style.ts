/** The style of reports: light and dark from one set of names, readable from a phone's width on, printable. */
export const pageStyle = `
:root { color-scheme: light dark;
  --paper: light-dark(#f6f7f9, #0f1217); --card: light-dark(#fff, #171b22); --ink: light-dark(#1b2129, #e6eaf0);
  --soft: light-dark(#57606a, #9aa5b1); --edge: light-dark(#d5dae0, #313843); --accent: light-dark(#2463c9, #6ea8fe); --shade: light-dark(#0004, #fff5);
  --c0: light-dark(#2463c9, #6ea8fe); --c1: light-dark(#b4530a, #ffa657); --c2: light-dark(#1a7f37, #56d364);
  --c3: light-dark(#8250df, #c297ff); --c4: light-dark(#cf222e, #ff7b72); --c5: light-dark(#0b7a75, #4fd1c5);
  --c6: light-dark(#b02a80, #ff8fcf); --c7: light-dark(#6f6100, #d9c94a);
  font: 16px/1.5 system-ui, sans-serif; }
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); }
[hidden] { display: none !important; }
a { color: var(--accent); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 9; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
header, main, footer { max-width: 1280px; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.25rem; }
.top { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
.top > h1 { flex: 1 1 16rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .35rem 0; }
.lead, .about, .note, footer { color: var(--soft); }
.about, .readout, .note { font-size: .875rem; }
.state { display: inline-block; border: 1px solid var(--edge); border-radius: 1rem; padding: 0 .7rem; font-size: .875rem; background: var(--card); }
.follow { display: inline-flex; gap: .35rem; align-items: center; margin-left: .8rem; font-size: .875rem; }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1rem; padding: 0; margin: .6rem 0 0; }
nav a { display: inline-block; padding: .2rem 0; }
button, select, input { font: inherit; color: inherit; }
button { background: var(--card); border: 1px solid var(--edge); border-radius: .4rem; padding: .25rem .7rem; cursor: pointer; }
button:hover { border-color: var(--accent); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: .75rem; margin: 1rem 0 0; padding: 0; }
.tiles > div, figure, .card { background: var(--card); border: 1px solid var(--edge); border-radius: .6rem; padding: .8rem 1rem; margin: 0; min-width: 0; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.45rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles dd small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 23rem), 1fr)); gap: 1rem; align-items: start; }
section > .charts + *, section > .card + * { margin-top: 1rem; }
.charts > figure { max-width: 38rem; }
.plot { touch-action: pan-y; border-radius: .3rem; }
.plot svg { display: block; width: 100%; height: auto; }
.plot text { fill: var(--soft); font: 11.5px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--edge); stroke-width: 1; opacity: .7; }
.axis, .tick { stroke: var(--soft); stroke-width: 1; }
.diagonal { stroke: var(--soft); stroke-dasharray: 2 4; }
.cursor line { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
.series path { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.series circle { fill: var(--card); stroke: var(--c); stroke-width: 2; }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); }
.s4 { --c: var(--c4); } .s5 { --c: var(--c5); } .s6 { --c: var(--c6); } .s7 { --c: var(--c7); }
.d1 path { stroke-dasharray: 7 4; } .d2 path { stroke-dasharray: 2 3; }
.readout { min-height: 1.5em; margin: .1rem 0 0; font-variant-numeric: tabular-nums; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem; margin: .3rem 0; padding: 0; max-height: 9rem; overflow: auto; }
.legend button { display: flex; align-items: center; gap: .4rem; font-size: .85rem; padding: .1rem .5rem; border-radius: 1rem; max-width: 16rem; overflow-wrap: anywhere; text-align: left; }
.legend svg { width: 24px; height: 8px; flex: none; }
.legend button[aria-pressed=false] { color: var(--soft); text-decoration: line-through; }
.legend button[aria-pressed=false] svg { opacity: .25; }
details { margin-top: .4rem; }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
.scroll { overflow: auto; max-height: 48rem; max-width: 100%; background: linear-gradient(90deg, var(--card) 30%, transparent) 0 0 / 3rem 100% no-repeat local, linear-gradient(-90deg, var(--card) 30%, transparent) 100% 0 / 3rem 100% no-repeat local, linear-gradient(90deg, var(--shade), transparent) 0 0 / .8rem 100% no-repeat scroll, linear-gradient(-90deg, var(--shade), transparent) 100% 0 / .8rem 100% no-repeat scroll; }
details .scroll { max-height: 24rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .2rem 0; }
details caption { font-weight: 400; color: var(--soft); }
th, td { padding: .22rem .6rem; border-bottom: 1px solid var(--edge); text-align: right; }
th[scope=row], thead th:first-child { text-align: left; padding-left: 0; }
th[scope=row] { font-weight: 400; overflow-wrap: break-word; min-width: 4rem; max-width: 22rem; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
thead th { position: sticky; top: 0; background: var(--card); z-index: 1; }
.matrix th:first-child { position: sticky; left: 0; background: var(--card); z-index: 2; }
.matrix .zero { color: var(--soft); }
tfoot th, tfoot td { font-weight: 600; border-bottom: 0; }
.wide-table table, .text table, .bar-table { width: 100%; }
.bar-table .bars { width: 50%; min-width: 4rem; }
.bar-table .last { width: 4rem; }
.bar { display: block; height: .8rem; }
.bar > span { display: block; height: 100%; background: var(--accent); border-radius: .2rem; }
.text td, .text thead th { text-align: left; overflow-wrap: break-word; }
.text td:last-child { overflow-wrap: anywhere; }
.text .scroll { max-height: none; }
.differs td, .differs th { background: color-mix(in srgb, var(--accent) 12%, transparent); }
.matrix td { text-align: center; min-width: 3rem; background: color-mix(in srgb, var(--accent) calc(var(--share, 0) * 45%), transparent); }
.matrix td.own { outline: 1px solid var(--soft); outline-offset: -1px; }
.matrix thead th { text-align: center; }
.controls { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; align-items: center; margin-bottom: .8rem; }
.controls fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem .9rem; min-width: 0; }
.controls legend { float: left; margin-right: .7rem; font-weight: 600; }
.controls label { display: inline-flex; gap: .35rem; align-items: center; }
.controls output { flex-basis: 100%; font-size: .875rem; color: var(--soft); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem; align-items: start; }
.gallery figure { padding: .6rem; }
.gallery figure.large { grid-column: 1 / -1; }
.picture { position: relative; background: var(--paper); }
.picture img { display: block; width: 100%; height: auto; }
.picture .gone { position: absolute; inset: 0; display: grid; place-items: center; color: var(--soft); padding: 1rem; text-align: center; }
.picture svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: hidden; }
.picture rect { fill: none; stroke-width: 2.5; vector-effect: non-scaling-stroke; }
.picture rect.under { stroke: #000; stroke-opacity: .55; stroke-width: 4.5; }
.object rect.line { stroke: #fff; stroke-dasharray: 6 4; }
.object.missed rect.line { stroke: #22d3ee; stroke-dasharray: none; stroke-width: 3.5; }
.right rect.line { stroke: #3ddc5b; } .misplaced rect.line { stroke: #ff9f1a; } .wrong rect.line { stroke: #ff4d4d; } .ignored rect.line { stroke: #b8c0c8; }
.picture text { fill: #fff; stroke: #000; stroke-opacity: .85; paint-order: stroke; font: 600 calc(var(--size) * 1px) system-ui, sans-serif; stroke-width: calc(var(--size) * .2px); }
.large .picture text { font-size: calc(var(--size) * .5px); stroke-width: calc(var(--size) * .1px); }
.no-objects .object, .no-detections .detection, .no-names text { display: none; }
.gallery figcaption { font-size: .875rem; }
.gallery figcaption strong { overflow-wrap: anywhere; }
.gallery .row { display: flex; flex-wrap: wrap; gap: .3rem .6rem; align-items: center; justify-content: space-between; margin-top: .4rem; }
.badge { border: 1px solid var(--edge); border-radius: 1rem; padding: 0 .55rem; font-size: .8rem; white-space: nowrap; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 0 0 .8rem; padding: 0; font-size: .875rem; }
.key span { display: inline-block; width: 1.6rem; height: 1.1rem; margin-right: .4rem; vertical-align: -3px; border: 2px solid var(--k); background: #4b5563; outline: 2px solid #4b5563; }
.key .dashed span { border-style: dashed; }
footer { padding-top: 1.5rem; padding-bottom: 2.5rem; font-size: .875rem; }
@media (max-width: 30rem) { .controls legend { float: none; width: 100%; } .tiles { grid-template-columns: 1fr 1fr; } .tiles > div { padding: .6rem .8rem; } th, td { padding-right: .4rem; padding-left: .4rem; } }
@media print { .controls, nav, .theme, .legend button[aria-pressed=false] { display: none; } .scroll { max-height: none; } figure, .card { break-inside: avoid; } }
`;
