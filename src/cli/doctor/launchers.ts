import { findOnPath } from '../../runtime/assert/programs.js';
import { launcherPrograms, launchers } from '../../targets/launchers/index.js';
import type { Probed } from '../../targets/probe.js';
import { ask } from './ask.js';

export interface LaunchersFacts {
  /** Programs by name, with their paths. */
  readonly found: Readonly<Record<string, string>>;
  /** The MPI that mpiexec or mpirun is of; `unknown` where its version does not tell. */
  readonly mpi: string | undefined;
}

/** Finds the programs that start parallel tasks. */
export async function probeLaunchers(): Promise<Probed<LaunchersFacts>> {
  const found = Object.fromEntries(
    launcherPrograms.flatMap((name) => {
      const path = findOnPath(name, process.env['PATH']);
      return path === undefined ? [] : [[name, path] as const];
    }),
  );
  // MPI's programs begin with its name. The first in the alphabet is the one that the standard names.
  const [mpiProgram] = Object.keys(found)
    .filter((name) => /^mpi/.test(name))
    .sort();
  const mpi =
    mpiProgram === undefined ? undefined : mpiKind((await ask(found[mpiProgram] ?? mpiProgram, '--version')).stdout);
  const names = Object.keys(found).map((name) => (mpi !== undefined && /^mpi/.test(name) ? `${name} (${mpi})` : name));
  const topic = 'Launchers';
  return {
    facts: { found, mpi },
    findings: [
      names.length > 0
        ? { topic, verdict: 'ok', message: names.join(', ') }
        : {
            topic,
            verdict: 'warning',
            message: 'none on the PATH: programs of several tasks cannot be started from here',
            advice: 'load the module of the MPI that applications are built with',
          },
    ],
  };
}

/** Told by what `--version` prints. */
export function mpiKind(version: string): string {
  return Object.values(launchers).find(({ mpi }) => mpi?.version.test(version))?.mpi?.name ?? 'unknown';
}
