// Every command of the command line, in the order that help lists them.
import type { AnyCommand } from './command.js';
import { compareCommand } from './compare.js';
import { convertCommand } from './convert.js';
import { dataCommand } from './data.js';
import { demoCommand } from './demo.js';
import { detectCommand } from './detect.js';
import { doctorCommand } from './doctor.js';
import { evalCommand } from './eval.js';
import { exportCommand } from './export.js';
import { infoCommand } from './info.js';
import { pullCommand } from './pull.js';
import { reportCommand } from './report.js';
import { trainCommand } from './train.js';

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
