import type { LauncherStandIn } from '../standins.js';
import { aprunStandIn } from './aprun.js';
import { mpiexec } from './hydra.js';
import { jsrunStandIn } from './jsrun.js';
import { mpirun } from './open-mpi.js';
import { palsMpiexec } from './pals.js';
import { blaunch, pbsdsh, remoteShell } from './remote.js';

/** Launchers by their names; two of them are called `mpiexec`. */
export const launcherStandIns: Readonly<
  Record<string, { readonly program: string; readonly standIn: LauncherStandIn }>
> = {
  mpirun: { program: 'mpirun', standIn: mpirun },
  orterun: { program: 'orterun', standIn: mpirun },
  mpiexec: { program: 'mpiexec', standIn: mpiexec },
  pals: { program: 'mpiexec', standIn: palsMpiexec },
  aprun: { program: 'aprun', standIn: aprunStandIn },
  jsrun: { program: 'jsrun', standIn: jsrunStandIn },
  blaunch: { program: 'blaunch', standIn: blaunch },
  pbsdsh: { program: 'pbsdsh', standIn: pbsdsh },
  pbs_tmrsh: { program: 'pbs_tmrsh', standIn: remoteShell },
  qrsh: { program: 'qrsh', standIn: remoteShell },
  lsrun: { program: 'lsrun', standIn: remoteShell },
};
