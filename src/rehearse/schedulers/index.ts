import type { TargetName } from '../../ir/index.js';
import type { SchedulerStandIn } from '../standins.js';
import { cobalt } from './cobalt/index.js';
import { lsf } from './lsf/index.js';
import { pbs } from './pbs/index.js';
import { sgeStandIn } from './sge/index.js';
import { slurmStandIn } from './slurm/index.js';

/** Stand-ins of schedulers by their targets. */
export const schedulers: Partial<Record<TargetName, SchedulerStandIn>> = {
  slurm: slurmStandIn,
  pbs,
  lsf,
  sge: sgeStandIn(),
  cobalt,
};
