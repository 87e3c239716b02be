import { Refused } from '../refused.js';
import type { Allocation, Call } from '../standins.js';
import type { LaunchedProgram } from './grammar.js';
import { hostFileLines, nodeNamed, type Place } from './ranks.js';

/** A host, the ranks that it takes, and its CPUs. */
export interface Host {
  readonly name: string;
  readonly slots: number;
  readonly cpus: number | undefined;
}

const rule = '-'.repeat(74);

function refusal(...lines: readonly string[]): Refused {
  return new Refused([rule, ...lines, rule].join('\n'), 1);
}

function notEnoughSlots(wanted: number, { command }: LaunchedProgram): Refused {
  return refusal(
    `There are not enough slots available in the system to satisfy the ${wanted}`,
    'slots that were requested by the application:',
    '',
    `  ${command[0]}`,
    '',
    'Either request fewer slots for your application, or make more slots',
    'available for use.',
  );
}

/** Hosts of a program: those that it names, else those of the others, of the scheduler, or the host of its caller. */
export function hostsOf(
  call: Call,
  allocation: Allocation | undefined,
  { options }: LaunchedProgram,
  programs: readonly LaunchedProgram[],
): Host[] {
  const file = options['hostfile'];
  const others = programs.flatMap((one) => one.options['host'] ?? []).join(',');
  const list = options['host'] ?? (file === undefined && others !== '' ? others : undefined);
  const named = list !== undefined ? namedHosts(list) : file === undefined ? undefined : readFile(call, file);
  const hosts = named ?? byScheduler(call, allocation);
  const strange = hosts.find(({ name }) => nodeNamed(allocation, name) === undefined && name !== call.host);
  if (strange !== undefined) {
    throw refusal(
      `ssh: Could not resolve hostname ${strange.name}: Name or service not known`,
      'ORTE was unable to reliably start one or more daemons.',
    );
  }
  return hosts.map((one) => ({ ...one, cpus: nodeNamed(allocation, one.name)?.cpus }));
}

/** `n1:2,n2`: each time that a host stands there it gives as many slots, one unless it says. */
function namedHosts(text: string): Host[] {
  return merged(
    text
      .split(',')
      .filter((one) => one !== '')
      .map((one) => {
        const [name = '', slots = '1'] = one.split(':');
        return { name, slots: slots === '*' ? Number.POSITIVE_INFINITY : Number(slots) || 0, cpus: undefined };
      }),
  );
}

function merged(hosts: readonly Host[]): Host[] {
  const names = [...new Set(hosts.map(({ name }) => name))];
  return names.map((name) => {
    const all = hosts.filter((one) => one.name === name);
    return { name, slots: all.reduce((sum, one) => sum + one.slots, 0), cpus: all[0]?.cpus };
  });
}

function readFile(call: Call, path: string): Host[] {
  const text = call.readFile(path);
  if (text === undefined) {
    throw refusal(
      `Open RTE was unable to open the hostfile:`,
      `    ${path}`,
      'Check to make sure the path and filename are correct.',
    );
  }
  return merged(
    hostFileLines(text).map((line) => {
      const [name = '', ...rest] = line.split(/\s+/);
      return { name, slots: Number(/slots\s*=\s*(\d+)/.exec(rest.join(' '))?.[1] ?? 1), cpus: undefined };
    }),
  );
}

/** Slurm and Grid Engine tell it slots; of other schedulers it knows nothing, and starts all where it was called. */
function byScheduler(call: Call, allocation: Allocation | undefined): Host[] {
  const file = call.env['PE_HOSTFILE'];
  if (file !== undefined) {
    const lines = hostFileLines(call.readFile(file) ?? '').map((line) => line.split(/\s+/));
    return merged(lines.map(([name = '', slots = '1']) => ({ name, slots: Number(slots), cpus: undefined })));
  }
  if (allocation !== undefined && call.env['SLURM_JOB_ID'] !== undefined) {
    return allocation.nodes.map(({ name, cpus }) => ({ name, slots: cpus, cpus }));
  }
  const cpus = nodeNamed(allocation, call.host)?.cpus ?? 1;
  return [{ name: call.host, slots: cpus, cpus }];
}

/**
 * Places of the ranks of all programs, one program after the other.
 *
 * @throws Refused where the hosts have too few slots or CPUs.
 */
export function placesOf(programs: readonly LaunchedProgram[], otherHosts: (one: LaunchedProgram) => Host[]): Place[] {
  const given = (name: string) => programs.map(({ options }) => options[name]).findLast((one) => one !== undefined);
  const map = (given('map-by') ?? '').toLowerCase();
  const perNode =
    /^ppr:(\d*)[^:]*:node/.exec(map)?.[1] ??
    given('N')?.split(':')[0] ??
    (given('pernode') === undefined ? undefined : '1');
  const oversubscribes = given('oversubscribe') !== undefined || /:.*\boversubscribe/.test(map);
  const byNode = /^node/.test(map) || given('bynode') !== undefined;
  const used = new Map<string, number>();
  const places = programs.flatMap((program, index) => {
    const found = otherHosts(program);
    const hosts = found.length > 0 ? found : namedHosts(program.options['host'] ?? '');
    return mapped(program, hosts, used, { perNode, oversubscribes, byNode }).map((node) => ({ node, program: index }));
  });
  return places;
}

interface Mapping {
  readonly perNode: string | undefined;
  readonly oversubscribes: boolean;
  readonly byNode: boolean;
}

function mapped(program: LaunchedProgram, hosts: readonly Host[], used: Map<string, number>, how: Mapping): string[] {
  const { perNode, oversubscribes, byNode } = how;
  const free = ({ name, slots }: Host) => slots - (used.get(name) ?? 0);
  const open = hosts.filter((one) => one.slots > 0 && (free(one) > 0 || oversubscribes));
  const room = open.reduce((sum, one) => sum + free(one), 0);
  // Without a number, or with 0, there is a rank for each slot.
  const asked = Number(program.options['np'] ?? 0);
  const count = asked || (perNode === undefined ? room : Number(perNode) * open.length);
  if (open.length === 0) throw refusal('All nodes which are allocated for this job are already filled.');
  if (perNode !== undefined && count > Number(perNode) * open.length) {
    throw refusal(
      'Your job has requested more processes than the ppr for',
      'this topology can support:',
      '',
      `  App: ${program.command[0]}`,
      `  Number of procs:  ${count}`,
      `  PPR: ${perNode}:node`,
    );
  }
  if (!oversubscribes && count > room) throw notEnoughSlots(count, program);
  const places: string[] = [];
  const take = (name: string) => {
    used.set(name, (used.get(name) ?? 0) + 1);
    places.push(name);
  };
  if (byNode) {
    while (places.length < count) {
      const before = places.length;
      for (const one of open) if (places.length < count && (free(one) > 0 || oversubscribes)) take(one.name);
      if (places.length === before) throw notEnoughSlots(count, program);
    }
    return places;
  }
  // Ranks beyond the slots are spread evenly, the first hosts taking one more.
  const extra = Math.max(0, count - room);
  for (const [place, one] of open.entries()) {
    const more = Math.floor(extra / open.length) + (place < extra % open.length ? 1 : 0);
    const own = perNode === undefined ? Math.max(0, free(one)) + more : Number(perNode);
    if (perNode !== undefined && !oversubscribes && Math.min(own, count - places.length) > free(one)) {
      throw notEnoughSlots(Number(perNode), program);
    }
    for (let number = 0; number < own && places.length < count; number++) take(one.name);
  }
  return places;
}
