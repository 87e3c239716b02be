import { lookup } from 'node:dns/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import { positionOf } from '../job/hosts.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { nameOfHost, outerAddresses } from '../job/network-address.js';
import { allowAddresses, isReachable } from './allow-list.js';
import { readTold, type ToldAddresses } from './told-addresses.js';

/** Addresses of a name. Rejects if there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

const resolveByLibrary: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/**
 * Lets the job's hosts use the stores that other hosts can reach: writes their addresses into the allow-lists. `areTelling`: the hosts may yet
 * tell their own, so that it is no matter if a name has none.
 */
export async function allowHosts(
  job: JobEnvironment,
  plan: Plan,
  stores: readonly Store[],
  { areTelling = false }: { readonly areTelling?: boolean } = {},
): Promise<void> {
  if (!stores.some(isReachable)) return;
  const resolve = orTold(readTold(job), areTelling ? new Set(job.hosts.map(nameOfHost)) : new Set());
  const onInterface = new Map<string | undefined, readonly string[]>();
  for (const store of stores) {
    if (!isReachable(store)) continue;
    const interfaceName = store.interface ?? plan.networkInterface;
    const addresses =
      onInterface.get(interfaceName) ?? (await addressesOn(interfaceName, job.hosts.map(nameOfHost), resolve));
    onInterface.set(interfaceName, addresses);
    // Scripts may run on a host that is none of the job's.
    allowAddresses(job, plan, store.name, new Set([...addresses, ...outerAddresses()]));
  }
}

/** Addresses of names; for a host whose name has none those that it has told, or nothing if it may yet tell them. */
export function orTold(
  told: readonly ToldAddresses[],
  telling: ReadonlySet<string>,
  resolve: Resolve = resolveByLibrary,
): Resolve {
  const names = told.map(({ host }) => host);
  return async (name) => {
    try {
      return await resolve(name);
    } catch (error) {
      const at = positionOf(name, names);
      if (at !== undefined) return told[at]?.addresses ?? [];
      if (telling.has(name)) return [];
      throw error;
    }
  };
}

/**
 * Addresses of hosts: those of their names, and those of the names that they have on the network of an interface, if they have such names.
 * A host connects from the address of the network on which the store listens, and its own name is often that of another network.
 *
 * @throws WorkflowError RUN1004 for a host whose name has no address.
 */
export async function addressesOn(
  interfaceName: string | undefined,
  hosts: readonly string[],
  resolve: Resolve = resolveByLibrary,
): Promise<readonly string[]> {
  const own = await Promise.all(hosts.map((host) => addressesOf(host, resolve)));
  if (interfaceName === undefined) return own.flat();
  // Names are made alike on all nodes: the first and the last show how. A question that nobody answers may take seconds.
  const shown = [...new Set([hosts[0], hosts.at(-1)])].filter((host) => host !== undefined);
  const endings: string[] = [];
  for (const ending of endingsFor(interfaceName)) {
    const found = await Promise.all(shown.map((host) => orNone(named(host, ending), resolve)));
    if (found.some((addresses) => addresses.length > 0)) endings.push(ending);
  }
  const onNetwork = await Promise.all(
    endings.flatMap((ending) => hosts.map((host) => orNone(named(host, ending), resolve))),
  );
  return [...own, ...onNetwork].flat();
}

/** Usual endings of a host's name on the network of an interface: node1-ib0, node1ib0, node1-ib, node1ib. */
function endingsFor(interfaceName: string): readonly string[] {
  const kind = interfaceName.replace(/\d+$/, '');
  return [...new Set([`-${interfaceName}`, interfaceName, `-${kind}`, kind])];
}

function named(host: string, ending: string): string {
  const [label = '', ...domain] = host.split('.');
  return [`${label}${ending}`, ...domain].join('.');
}

function orNone(name: string, resolve: Resolve): Promise<readonly string[]> {
  return resolve(name).catch(() => []);
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch (error) {
    throw new WorkflowError({
      code: 'RUN1004',
      message: `host ${host} of this job has no address: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'SIMWRIGHT_HOSTS lists the hosts; their names must be known on each node',
      cause: error,
    });
  }
}
