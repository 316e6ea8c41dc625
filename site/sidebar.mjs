// What stands where in the site. A document without a place here is an error of the build.
import { readdirSync } from 'node:fs';

/** The page of an example or a schema: its path without `.mjs` or `.json`, others' ending behind a hyphen. */
export const pageName = (path) => path.replace(/\.(mjs|json)$/, '').replace('.', '-');

const pagesOf = (folder) =>
  readdirSync(new URL(`../${folder}/`, import.meta.url)).map((file) => pageName(`${folder}/${file}`));

/** The site's groups: a page's path without its ending, and its name in the list. */
export const sidebar = [
  group('Start', {
    index: 'What it is',
    'get-started': 'Five minutes',
    faq: 'Questions',
    troubleshooting: 'When it goes wrong',
    commands: 'Commands',
  }),
  group('Your own pictures', {
    data: 'Data formats',
    finetune: 'Starting from weights',
    training: 'Training',
    report: "A run's report",
    metrics: 'What the figures say',
  }),
  group('Models', {
    models: 'Which model',
    refinedet: 'RefineDet',
    'cascade-rcnn': 'Cascade R-CNN',
    weights: 'Files of weights',
    hub: 'Published weights',
  }),
  group('Ship it', { deploy: 'Shipping a detector', json: 'JSON for programs', stability: 'What stays the same' }),
  group('How it works', {
    'how-it-works': 'Graphs all the way',
    benchmarks: 'How fast it is',
    features: 'What works, and its test',
    'field-notes': 'Field notes',
    changelog: 'Changes',
    licence: 'Licence',
  }),
  group('Extend', {
    extend: 'Backbone, head, operator',
    'examples/index': 'Examples',
  }),
  group('Reference', {
    'reference/boxwright': 'boxwright',
    'reference/browser': 'boxwright/browser',
    'reference/train': 'boxwright/train',
    'reference/evaluate': 'boxwright/evaluate',
    'reference/data': 'boxwright/data',
    'reference/report': 'boxwright/report',
    'reference/hub': 'boxwright/hub',
    'reference/graph': 'boxwright/graph',
    'reference/nn': 'boxwright/nn',
    'reference/engine': 'boxwright/engine',
  }),
];

/** Every page that the site has to have; examples and schemas are listed on pages of their own. */
export const pages = [
  ...sidebar.flatMap(({ items }) => items.map(({ link }) => link.slice(1))),
  ...pagesOf('examples'),
  ...pagesOf('schemas'),
];

function group(text, items) {
  return { text, items: Object.entries(items).map(([page, name]) => ({ text: name, link: `/${page}` })) };
}
