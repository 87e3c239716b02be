import type { LauncherName } from '../../ir/index.js';
import type { Launcher } from '../target.js';
import { aprun } from './aprun.js';
import { jsrun } from './jsrun.js';
import { mpiexec } from './mpiexec.js';
import { mpirun } from './mpirun.js';
import { none } from './none.js';
import { orterun } from './orterun.js';
import { pals } from './pals.js';
import { srun } from './srun.js';

/** Every launcher by its name. */
export const launchers: { readonly [Name in LauncherName]: Launcher } = {
  srun,
  mpirun,
  mpiexec,
  orterun,
  pals,
  aprun,
  jsrun,
  none,
};
