import type { SiteInput } from '../ir/index.js';

/** Sites that assume nothing but the scheduler. */
export const builtInSites: readonly SiteInput[] = [
  { name: 'local', target: 'local' },
  { name: 'slurm', target: 'slurm' },
  { name: 'pbs', target: 'pbs' },
  { name: 'lsf', target: 'lsf' },
  { name: 'cobalt', target: 'cobalt' },
];
