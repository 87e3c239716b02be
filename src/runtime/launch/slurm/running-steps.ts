/** A step that runs, and the srun that it belongs to. */
export interface RunningStep {
  /** As `scancel` takes it. */
  readonly id: string;
  /** Short name of the host that srun runs on. */
  readonly host: string;
  /** Process id of srun. */
  readonly pid: number;
  /** The hosts that it runs on, as Slurm lists them: `n3`, `n[1-2]`. */
  readonly nodes: string | undefined;
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
