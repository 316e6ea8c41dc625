import { command } from '../command.js';
import type { Finding } from '../machine-checks.js';
import { outlines } from '../outlines.js';
import type { Terminal } from '../terminal.js';

export const doctorCommand = command({
  ...outlines.doctor,
  positionals: {},
  options: {
    json: { type: 'boolean', default: false, describe: 'Print the findings as JSON, and nothing else' },
  },
  examples: [['doctor', 'what is here, and what is missing']],
  async run({ json }, { terminal }) {
    const { checkMachine } = await import('../machine-checks.js');
    const findings: Finding[] = [];
    for await (const finding of checkMachine()) {
      findings.push(finding);
      if (!json) await show(finding, terminal);
    }
    const failed = findings.filter(({ state }) => state === 'failed').length;
    if (json) await terminal.printJson({ ok: failed === 0, findings });
    else await terminal.print(failed === 0 ? 'Ready.' : `${failed} of ${findings.length} checks failed.`);
    return failed === 0 ? 0 : 1;
  },
});

const marks = { fine: ['green', '✓'], doubtful: ['yellow', '!'], failed: ['red', '✗'] } as const;

async function show({ check, state, found, advice }: Finding, terminal: Terminal): Promise<void> {
  const [colour, mark] = marks[state];
  await terminal.print(`${terminal.style(colour, mark)} ${check.padEnd(12)} ${found}`);
  if (advice !== undefined) await terminal.print(`${' '.repeat(15)}${terminal.style(colour, advice)}`);
}
