import type { LauncherName } from '../../ir/index.js';
import type { Launcher } from '../target.js';
import { jsrun } from './jsrun.js';
import { mpiexec } from './mpiexec.js';
import { mpirun } from './mpirun.js';
import { srun } from './srun.js';

/** Every launcher by its name. `none` starts the program itself. */
export const launchers: Readonly<Record<LauncherName, Launcher>> = {
  srun,
  mpirun,
  mpiexec,
  jsrun,
  none: () => [],
};
