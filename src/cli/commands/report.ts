import { command } from '../command.js';
import { outlines } from '../outlines.js';

export const reportCommand = command({
  ...outlines.report,
  positionals: { run: { type: 'string', demandOption: true, describe: 'Run folder' } },
  options: {
    json: { type: 'boolean', default: false, describe: 'Print the paths as JSON, and nothing else' },
  },
  examples: [['report runs/cells', 'the page of a run that broke off, or was made by another version']],
  async run({ run, json }, { terminal }) {
    const { writeReport } = await import('../../report/run/run-reporter.js');
    const path = await writeReport(run);
    if (json) await terminal.printJson({ run, path });
    else await terminal.print(`Wrote ${path}`);
    return 0;
  },
});
