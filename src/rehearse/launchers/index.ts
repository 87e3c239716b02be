import type { LauncherStandIn } from '../standins.js';
import { aprunStandIn } from './aprun.js';
import { hydra, mpiexec } from './hydra.js';
import { jsrunStandIn } from './jsrun.js';
import { mpirun } from './open-mpi.js';
import { palsMpiexec } from './pals.js';
import { blaunch, pbsdsh, remoteShell } from './remote.js';
import { srun } from './srun.js';

/** Options of PALS as its lines have them; hydra's are written with one dash. */
const ofPals = /^(--(ppn|cpu-bind|depth|hosts|hostlist|gpu-bind|mem-bind|np|label|(no-)?abort-on-failure)(=|$)|-d$)/;

/** True if one of the launcher's own options, which end at the program, is one of PALS. */
function isPals(argv: readonly string[]): boolean {
  for (let at = 0; argv[at]?.startsWith('-') === true; ) {
    const word = argv[at] as string;
    if (ofPals.test(word)) return true;
    const option = hydra.options.find(({ names }) => names.includes(word.replace(/^--?/, '')));
    if (option === undefined) return false;
    at += 1 + (option.value === undefined ? 0 : (option.words ?? 1));
  }
  return false;
}

/** The two launchers that are called `mpiexec`: a site has one of them, and their options tell which. */
const eitherMpiexec: LauncherStandIn = (call, allocation) =>
  (isPals(call.argv) ? palsMpiexec : mpiexec)(call, allocation);

/** Stand-ins of launchers by the names of their commands. */
export const launchers: Readonly<Record<string, LauncherStandIn>> = {
  srun,
  mpirun,
  orterun: mpirun,
  mpiexec: eitherMpiexec,
  aprun: aprunStandIn,
  jsrun: jsrunStandIn,
  blaunch,
  pbsdsh,
  pbs_tmrsh: remoteShell,
  qrsh: remoteShell,
  lsrun: remoteShell,
};
