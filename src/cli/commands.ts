// Every command of the command line, in the order that help lists them.
import type { AnyCommand } from './command.js';
import { compareCommand } from './commands/compare.js';
import { convertCommand } from './commands/convert.js';
import { dataCommand } from './commands/data.js';
import { demoCommand } from './commands/demo.js';
import { detectCommand } from './commands/detect.js';
import { doctorCommand } from './commands/doctor.js';
import { evalCommand } from './commands/eval.js';
import { exportCommand } from './commands/export.js';
import { infoCommand } from './commands/info.js';
import { pullCommand } from './commands/pull.js';
import { reportCommand } from './commands/report.js';
import { trainCommand } from './commands/train.js';

export const commands: readonly AnyCommand[] = [
  demoCommand,
  trainCommand,
  evalCommand,
  dataCommand,
  detectCommand,
  exportCommand,
  pullCommand,
  doctorCommand,
  infoCommand,
  convertCommand,
  reportCommand,
  compareCommand,
];
