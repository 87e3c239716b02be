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

/** Options that hydra alone has. */
const ofHydra = /^-(hosts|f|ppn|genv\w*|env\w*|bind-to|map-by|launcher(-exec)?|iface)$/;

/** The two launchers that are called `mpiexec`: a site has one of them, and their options tell which. */
const eitherMpiexec: LauncherStandIn = (call, allocation) =>
  (isOfPals(call.argv) ? palsMpiexec : mpiexec)(call, allocation);

/** The first option that only one of them has tells: behind it are an application's own words, which may look like the other's. */
function isOfPals(argv: readonly string[]): boolean {
  return ofPals.test(argv.find((word) => ofPals.test(word) || ofHydra.test(word)) ?? '');
}

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
