import { findOnPath } from '../../runtime/assert/programs.js';
import { ask } from './ask.js';
import type { Probed } from './finding.js';

/** Whose mpiexec or mpirun a program is. */
export type MpiKind = 'Open MPI' | 'hydra' | 'PALS' | 'unknown';

export interface LaunchersFacts {
  /** Programs by name, with their paths. */
  readonly found: Readonly<Record<string, string>>;
  readonly mpi: MpiKind | undefined;
}

const programs = ['srun', 'mpirun', 'mpiexec', 'orterun', 'aprun', 'jsrun'] as const;

/** What starts the tasks of parallel programs. */
export async function probeLaunchers(): Promise<Probed<LaunchersFacts>> {
  const found = Object.fromEntries(
    programs.flatMap((name) => {
      const path = findOnPath(name, process.env['PATH']);
      return path === undefined ? [] : [[name, path] as const];
    }),
  );
  const mpiProgram = found['mpiexec'] ?? found['mpirun'];
  const mpi = mpiProgram === undefined ? undefined : mpiKind((await ask(mpiProgram, '--version')).stdout);
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
export function mpiKind(version: string): MpiKind {
  if (/Open ?MPI|OpenRTE|PRRTE/i.test(version)) return 'Open MPI';
  if (/PALS/i.test(version)) return 'PALS';
  return /HYDRA|MPICH|Intel\(R\) MPI/i.test(version) ? 'hydra' : 'unknown';
}
