import { type Entity, hasNumbers, memberName, type TargetName } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { runCommand } from '../scheduler/run-command.js';
import { stepsOf } from './steps/running-steps.js';
import { namesItsHosts } from './words.js';

/** Milliseconds after which the accounting is not waited for any longer. */
const patienceMs = 5000;

/** Launch of some members. */
interface Launched {
  readonly job: JobEnvironment;
  readonly line: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Hosts of an ensemble's members, each with their indices, where the scheduler chose among several: asked for once, at the end, so that
 * starting a member costs nothing. Empty where members know their hosts, or nobody tells.
 */
export async function memberHosts(
  target: TargetName,
  entity: Entity,
  indices: readonly number[],
  { job, line, env }: Launched,
): Promise<{ hosts?: Record<string, number[]> }> {
  const steps = stepsOf(target, line);
  const words = steps?.hosts(env);
  if (!hasNumbers(entity) || job.hosts.length === 1 || namesItsHosts(line)) return {};
  if (steps === undefined || words === undefined) return {};
  const known = steps.readHosts((await runCommand(words, env, patienceMs))?.stdout ?? '');
  const hosts: Record<string, number[]> = {};
  for (const index of indices) {
    const host = known.get(memberName(entity, index));
    if (host === undefined) continue;
    hosts[host] ??= [];
    hosts[host].push(index);
  }
  return Object.keys(hosts).length === 0 ? {} : { hosts };
}
