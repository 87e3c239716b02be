import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { counted } from '../../diagnostics/index.js';
import type { Plan } from '../../ir/index.js';
import { positionOf } from '../job/hosts.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { nameOfHost } from '../job/network-address.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { watchScript } from '../job/watch-script.js';
import { allowAddresses, isReachable } from './allow-list.js';
import { NodeLaunch } from './node-launch.js';
import { keepTold, type ToldAddresses } from './told-addresses.js';

/** Longest time for all nodes to tell their addresses, in seconds. */
const mostSeconds = 60;

/** Hosts that a warning names. */
const mostNamed = 8;

/** Options of `allow`. */
export interface AllowOptions {
  /** Launch lines, each of which starts one task on each of its nodes; several share out the nodes of the job. */
  readonly launches: readonly (readonly string[])[];
  /** The runtime's own command line: Node and the bundle. */
  readonly runtime: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Has each node of the job tell its addresses, and puts these on the allow lists of the stores that the job's applications use. A node that does not
 * tell any is warned of: the addresses of its name are on the lists anyway. Returns 0, or 128 and the number of a signal.
 */
export async function allow(job: JobEnvironment, { launches, runtime, env }: AllowOptions): Promise<number> {
  const plan = readPlan(job.dir);
  const told: ToldAddresses[] = [];
  const onTold = (one: ToldAddresses) => told.push(one);
  const running = launches.map(
    (words) => new NodeLaunch([...words, ...runtime, 'addresses'], { cwd: job.dir, env, onTold }),
  );
  const seconds = Math.min(mostSeconds, job.upTimeoutSeconds);
  const how = await Promise.race([
    Promise.all(running.map(({ ended }) => ended)).then(() => 'ended' as const),
    sleep(seconds * 1000, 'late' as const),
    untilToldToEnd(job),
  ]);
  await Promise.all(running.map((one) => one.stop()));
  if (typeof how === 'number') return how;
  keepTold(job, told);
  const addresses = new Set(told.flatMap((one) => one.addresses));
  for (const store of reachableStores(plan, job)) allowAddresses(job, plan, store, addresses);
  const late = how === 'late' ? [`it took longer than ${seconds} s`] : [];
  if (told.length < job.hosts.length) warn(job, told, [...late, ...running.flatMap(({ complaint }) => complaint)]);
  return 0;
}

/** Names of the stores with allow lists that the applications of a job use. */
function reachableStores(plan: Plan, { job }: JobEnvironment): readonly string[] {
  const used = new Set(plan.entities.filter((entity) => entity.job === job).flatMap(({ stores }) => stores));
  return [...used].filter((name) => isReachable(storeOf(plan, name)));
}

function warn(job: JobEnvironment, told: readonly ToldAddresses[], why: readonly string[]): void {
  const names = told.map(({ host }) => host);
  const silent = job.hosts.map(nameOfHost).filter((host) => positionOf(host, names) === undefined);
  const named = silent.slice(0, mostNamed).join(', ');
  const rest = silent.length > mostNamed ? ` and ${counted(silent.length - mostNamed, 'other')}` : '';
  // Hosts may have other names for themselves.
  const nodes = silent.length === 0 ? `${job.hosts.length - told.length} of ${job.hosts.length} nodes` : named + rest;
  const text = `simwright: ${nodes} told no addresses: stores take connections from there by the addresses of the name only`;
  process.stderr.write(`${[text, ...why].join('\n  ')}\n`);
}

/** Resolves with an exit code when the job is to end, or its script has gone. */
function untilToldToEnd(job: JobEnvironment): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) {
      process.once(signal, () => resolve(128 + constants.signals[signal]));
    }
    watchScript(job, true, () => resolve(128 + constants.signals.SIGTERM));
  });
}
