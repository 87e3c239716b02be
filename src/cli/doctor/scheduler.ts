import { findOnPath } from '../../runtime/assert/programs.js';
import type { Probed } from './finding.js';
import { probeLsf } from './lsf.js';
import { probePbs } from './pbs.js';
import type { SchedulerFacts } from './scheduler-facts.js';
import { probeSlurm } from './slurm.js';

/** The scheduler whose commands are on the PATH, if there is one. */
export async function probeScheduler(): Promise<Probed<SchedulerFacts | undefined>> {
  const has = (program: string) => findOnPath(program, process.env['PATH']) !== undefined;
  if (has('sbatch')) return probeSlurm();
  if (has('qsub')) return probePbs();
  if (has('bsub')) return probeLsf();
  const message = 'none: no sbatch, qsub or bsub on the PATH, so workflows run on this machine';
  return { facts: undefined, findings: [{ topic: 'Scheduler', verdict: 'ok', message }] };
}
