import type { LauncherStandIn } from '../standins.js';
import { srun } from './srun.js';

/** Stand-ins of launchers by the names of their commands. */
export const launchers: Readonly<Record<string, LauncherStandIn>> = {
  srun,
};
