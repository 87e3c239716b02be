import type { Environment, RunningStep, StepQueries } from '../queries.js';

/** The ids of the job, as Slurm's commands take them: of a heterogeneous one, those of its components. */
export function jobIdsOf(env: Environment): string[] {
  const components = Object.entries(env).flatMap(([name, id]) =>
    /^SLURM_JOB_ID_HET_GROUP_\d+$/.test(name) && id !== undefined ? [id] : [],
  );
  const own = env['SLURM_JOB_ID'];
  return components.length > 0 || own === undefined ? components : [own];
}

/** Reads what `scontrol show step` prints; steps that wait for their nodes are left out. */
export function readRunningSteps(text: string): RunningStep[] {
  return text.split(/^(?=StepId=)/m).flatMap((record) => {
    const [, id] = /^StepId=(\S+)/.exec(record) ?? [];
    const [, host, pid] = /\bSrunHost:Pid=([^\s:()]+):(\d+)/.exec(record) ?? [];
    if (id === undefined || host === undefined || pid === undefined || !/\bState=RUNNING\b/.test(record)) return [];
    const [, nodes] = /\bNodeList=([^\s()]+)/.exec(record) ?? [];
    // scancel knows the parts of a step of several programs (0+0, 0+1) by their common number.
    return [{ id: id.replace(/\+\d+$/, ''), host: host.split('.')[0] ?? host, pid: Number(pid), nodes }];
  });
}

/** Reads lines of `JOB.STEP|NODES|NAME`. */
export function readStepHosts(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, nodes = '', name = ''] = /^[^|]+\.\d+\|([^|]+)\|(.*)$/.exec(line) ?? [];
      return nodes === '' ? [] : [[name, nodes] as const];
    }),
  );
}

/** Steps of srun, which answers SIGTERM by killing its tasks: scancel signals them instead. */
export const slurmSteps: StepQueries = {
  launcher: 'srun',
  running: (env) => jobIdsOf(env).map((id) => ['scontrol', 'show', 'step', id]),
  readRunning: readRunningSteps,
  signal: (signal, ids) => ['scancel', `--signal=${signal.slice('SIG'.length)}`, ...ids],
  hosts: ({ SLURM_JOB_ID: job }) =>
    job === undefined
      ? undefined
      : ['sacct', '--noheader', '--parsable2', '--format=JobID,NodeList,JobName', `--jobs=${job}`],
  readHosts: readStepHosts,
};
