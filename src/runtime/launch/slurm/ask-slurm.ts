import { runCommand } from '../../scheduler/run-command.js';

/** Runs one of Slurm's commands; returns what it printed, whatever its exit code, and `undefined` without an answer in time. */
export async function askSlurm(
  command: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  patienceMs: number,
): Promise<string | undefined> {
  return (await runCommand([command, ...words], env, patienceMs))?.stdout;
}

/** Whether applications of a launch line are steps of a Slurm job. */
export function startsSteps(target: string, [program = '']: readonly string[]): boolean {
  return target === 'slurm' && (program === 'srun' || program.endsWith('/srun'));
}

/** The ids of the job, as Slurm's commands take them: of a heterogeneous one, those of its components. */
export function jobIdsOf(env: NodeJS.ProcessEnv): string[] {
  const components = Object.entries(env).flatMap(([name, id]) =>
    /^SLURM_JOB_ID_HET_GROUP_\d+$/.test(name) && id !== undefined ? [id] : [],
  );
  const own = env['SLURM_JOB_ID'];
  return components.length > 0 || own === undefined ? components : [own];
}
