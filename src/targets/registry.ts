import type { TargetName } from '../ir/index.js';
import { cobalt } from './cobalt/index.js';
import { local } from './local/index.js';
import { lsf } from './lsf/index.js';
import { pbs } from './pbs/index.js';
import { sge } from './sge/index.js';
import { slurm } from './slurm/index.js';
import type { Target } from './target.js';

/** Every target by its name. */
export const targets: { readonly [Name in TargetName]: Target<Name> } = { local, slurm, pbs, lsf, cobalt, sge };
