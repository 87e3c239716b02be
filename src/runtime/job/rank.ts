import { launchers } from '../../targets/launchers/index.js';
import { type JobEnvironment, thisHost } from './job-environment.js';

/** Variables in which launchers tell a process its number, those first that a step inherits from no other. */
export const rankVariables = Object.values(launchers).flatMap((launcher) => launcher.rankVariables);

/** Number of this process among those of its launch, one a node, from 0; the position of its host in the job where no launcher tells it. */
export function rankAmong(
  nodes: number,
  job: Pick<JobEnvironment, 'hosts'>,
  env: NodeJS.ProcessEnv,
): number | undefined {
  if (nodes === 1) return 0;
  const rank = rankVariables.map((name) => env[name] ?? '').find((value) => /^\d+$/.test(value));
  if (rank !== undefined && Number(rank) < nodes) return Number(rank);
  const index = job.hosts.findIndex((host) => host.split('.')[0] === thisHost());
  return index === -1 ? undefined : index;
}
