import { type SiteInput, TargetName } from '../ir/index.js';

/** Sites that assume nothing but the scheduler: one a target, called as it is. */
export const builtInSites: readonly SiteInput[] = TargetName.options.map((name) => ({ name, target: name }));
