import type { TargetName } from '../ir/index.js';
import { cobaltQueries } from './cobalt/queries.js';
import { lsfQueries } from './lsf/queries.js';
import { pbsQueries } from './pbs/queries.js';
import type { Queries } from './queries.js';
import { sgeQueries } from './sge/queries.js';
import { slurmQueries } from './slurm/queries.js';

/** Queries of each target's scheduler, which are all that the runtime knows of it; `local` has none. */
export const queriesOf: Readonly<Record<TargetName, Queries | undefined>> = {
  local: undefined,
  slurm: slurmQueries,
  pbs: pbsQueries,
  lsf: lsfQueries,
  cobalt: cobaltQueries,
  sge: sgeQueries,
};
