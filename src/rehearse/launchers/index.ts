import type { LauncherStandIn } from '../standins.js';
import { aprunStandIn } from './aprun.js';
import { mpiexec } from './hydra.js';
import { jsrunStandIn } from './jsrun.js';
import { mpirun } from './open-mpi.js';
import { palsMpiexec } from './pals.js';
import { blaunch, pbsdsh, remoteShell } from './remote.js';
import { srun } from './srun.js';

/** Options that PALS alone has, of which each of its lines has one. */
const ofPals = /^(--(ppn|cpu-bind|depth|hosts|hostlist|gpu-bind|mem-bind|np|label|(no-)?abort-on-failure)(=|$)|-d$)/;

/** The two launchers that are called `mpiexec`: a site has one of them, and their options tell which. */
const eitherMpiexec: LauncherStandIn = (call, allocation) =>
  (call.argv.some((word) => ofPals.test(word)) ? palsMpiexec : mpiexec)(call, allocation);

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
