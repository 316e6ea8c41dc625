import { table } from '../page/html.js';
import type { Environment } from './environment.js';
import type { RunRecord } from './run-record.js';

/** The run's settings, its model and its machine. */
export function settingsSection(
  config: Readonly<Record<string, unknown>>,
  record: RunRecord,
  environment: Environment | undefined,
): string {
  const rows = settingRows(config).map(([name, value]) => [name, value]);
  const start = record.start;
  const model = start
    ? [
        ['Parameters', start.parameters.toLocaleString('en')],
        ['of them trained', start.trained.toLocaleString('en')],
        ['Batches in an epoch', start.batchesPerEpoch],
        ...(start.weightsNote ? [['Weights', start.weightsNote]] : []),
        ...(record.resumed ? [['Went on after a break', record.resumed]] : []),
      ]
    : [];
  const machine = environment
    ? [
        ['boxwright', environment.boxwright],
        ['Node.js', environment.node],
        ['ONNX Runtime', environment.onnxruntime],
        ['Provider', environment.provider],
        ['Threads of an operator', environment.threads || 'as many as cores'],
        ['Processor', environment.cpu],
        ['Cores', environment.cores],
        ['Memory', `${(environment.memory / 2 ** 30).toFixed(1)} GiB`],
        ['System', environment.platform],
        ['Began', environment.began],
      ]
    : [];
  const chosen = (record.plan?.choices ?? []).map(({ setting, value, why }) => [setting, value, why]);
  const tables = [
    ...(chosen.length > 0 ? [table('Chosen, as nothing was given', ['Setting', 'Value', 'Why'], chosen)] : []),
    table('Settings (config.json)', ['Setting', 'Value'], rows),
    table('Model and environment', ['What', 'Value'], [...model, ...machine]),
  ];
  return `<div class="charts">${tables.map((html) => `<div class="card text">${html}</div>`).join('')}</div>`;
}

/** Settings as name and text, nested ones by their path. */
export function settingRows(config: Readonly<Record<string, unknown>>, prefix = ''): [name: string, value: string][] {
  return Object.entries(config).flatMap(([name, value]): [string, string][] => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return settingRows(value as Record<string, unknown>, `${prefix}${name}.`);
    const text = Array.isArray(value) ? value.map(itemText).join(', ') || 'none' : itemText(value);
    return [[`${prefix}${name}`, text]];
  });
}

function itemText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
