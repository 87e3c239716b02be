import { BashStarter } from './bash-starter.js';
import { DirectStarter } from './direct-starter.js';
import type { Starter } from './starter.js';

export type { ProcessEnd, ProcessLaunch, StartedProcess, Starter } from './starter.js';

/** Members that a worker must run one after another for its own start to be worth it. */
const fewestEach = 4;

/** The best starter for a number of members, so many at a time, with the job's environment `env`. */
export function chooseStarter(env: NodeJS.ProcessEnv, members: number, atATime: number): Starter {
  return members >= fewestEach * atATime ? new BashStarter(env) : new DirectStarter(env);
}
