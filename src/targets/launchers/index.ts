import { LauncherName } from '../../ir/index.js';
import type { Launcher } from '../target.js';
import { aprun } from './aprun.js';
import { jsrun } from './jsrun.js';
import { mpiexec } from './mpiexec.js';
import { none } from './none.js';
import { mpirun, orterun } from './open-mpi.js';
import { pals } from './pals.js';
import { srun } from './srun.js';

/** Every launcher by its name. Batch scripts inherit the rank that srun gives, so its variable is looked at after all others. */
export const launchers: { readonly [Name in LauncherName]: Launcher } = {
  mpirun,
  orterun,
  pals,
  mpiexec,
  aprun,
  jsrun,
  srun,
  none,
};

/** Programs of launchers, each once, in the order in which users are told of them. */
export const launcherPrograms: readonly string[] = [
  ...new Set(LauncherName.options.flatMap((name) => launchers[name].program ?? [])),
];

/** The launcher whose program that is, the first of those that share it; `undefined` for any other program. */
export function launcherOfProgram(program: string | undefined): Launcher | undefined {
  return program === undefined ? undefined : Object.values(launchers).find((one) => one.program === program);
}
