import {
  derivedOnce,
  type Entity,
  hasNumbers,
  type Job,
  type NodeGroup,
  type Plan,
  type Store,
} from '../../ir/index.js';
import { quoteShellWord } from '../../targets/quoting.js';
import { wrapLine } from './wrap-line.js';

type Setup = NonNullable<Entity['setup']>;

const entitiesByName = derivedOnce(({ entities }: Plan) => byName(entities));
const storesByName = derivedOnce(({ stores }: Plan) => byName(stores));

function byName<Item extends { readonly name: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.name, item]));
}

/** The models and ensembles of a job. */
export function entitiesOf({ entities }: Job, plan: Plan): Entity[] {
  return entities.map((name) => entitiesByName(plan).get(name) as Entity);
}

/** The stores of a job. */
export function storesOf({ stores }: Job, plan: Plan): Store[] {
  return stores.map((name) => storesByName(plan).get(name) as Store);
}

/** The line that starts a store: `runtime up NAME -- LAUNCH…`; without launcher's words it starts on the script's own host. */
function upLine(store: Store, job: Job): string {
  const quoted = store.launch.map((word) => {
    const hosts = /^\{hosts(?:\[(\d+)-(\d+)\])?(?::(\d+))?\}$/.exec(word);
    if (hosts === null) return quoteShellWord(word);
    const [, first, last, slots] = hosts;
    return hostsOf(store, job, first === undefined ? undefined : [Number(first), Number(last)], slots);
  });
  const head = `runtime up ${quoteShellWord(store.name)}`;
  const line = quoted.length === 0 ? head : wrapLine(`${head} --`, quoted);
  const { setup } = store;
  return setup === undefined ? line : `(\n${setupLines(setup)}${indent(line)}\n)`;
}

/**
 * The lines that start a job's stores. Its nodes tell their addresses meanwhile, or before where both could not run beside each other: `runtime allow --
 * LAUNCH…`.
 */
export function storeLines(job: Job, plan: Plan): string[] {
  const ups = storesOf(job, plan).map((store) => upLine(store, job));
  if (job.allow === undefined) return ups;
  const { lines, beforeStores } = job.allow;
  const words = lines.map((line) => line.map((word) => (word === '{hosts}' ? allHosts : quoteShellWord(word))));
  const comment = '# Stores serve the nodes of the job only, and only a node knows its addresses.';
  const line = (end: string) => {
    const all = words.flatMap((own, index) => (index === 0 ? own : ['--', ...own]));
    const breaks = all.flatMap((word, at) => (word === '--' ? [at] : []));
    return `${comment}\n${wrapLine('runtime allow --', [...all.slice(0, -1), `${all.at(-1)} ${end}`], breaks)}`;
  };
  if (beforeStores || ups.length === 0) return [line('|| true'), ...ups];
  return [line('& allowing=$!'), ...ups, 'wait "$allowing" || true'];
}

/** A word of shell that expands to all hosts of the job, separated by commas. */
const allHosts = `"\${SIMWRIGHT_HOSTS// /,}"`;

/** A word of shell that expands to the first host of the job. */
const firstHost = `"\${SIMWRIGHT_HOSTS%% *}"`;

/**
 * A word of shell that expands to the hosts of a store's group, or those from one position to another, from 1: separated by commas, each with its
 * number of tasks if there is one.
 */
function hostsOf(
  store: Store,
  { allocation, components, groups }: Job,
  range: readonly [number, number] | undefined,
  slots: string | undefined,
): string {
  const separated = slots === undefined ? "tr ' ' ," : `sed 's/ /:${slots},/g; s/$/:${slots}/'`;
  if (groups.length === 1 && range === undefined) {
    return slots === undefined ? allHosts : `"$(${separated} <<<"$SIMWRIGHT_HOSTS")"`;
  }
  const { component, first, nodes: count } = groups[store.group] as NodeGroup;
  const allocations = [allocation, ...components].slice(0, component);
  const before = first + allocations.reduce((sum, { nodes }) => sum + nodes, 0);
  // One on fewer nodes than the group has runs on the first of them.
  const [from, to] = range ?? [1, store.kind === 'standalone' ? Math.min(store.nodes, count) : count];
  if (before + to === 1 && slots === undefined) return firstHost;
  return `"$(cut -d ' ' -f ${before + from}-${before + to} <<<"$SIMWRIGHT_HOSTS" | ${separated})"`;
}

/** The lines that launch a job's applications. In a job of a store alone they keep the store running while other jobs use it. */
export function launchLines(job: Job, plan: Plan): string[] {
  if (job.entities.length === 0) return job.stores.map((name) => background(`runtime hold ${quoteShellWord(name)}`));
  return entitiesOf(job, plan).flatMap((entity) => entityLines(entity, job));
}

function entityLines(entity: Entity, job: Job): string[] {
  const { lines, atMost } = entity.launch;
  const isSplit = job.array !== undefined || job.separate !== undefined;
  if (lines.length > 1) return isSplit ? [ownElements(entity, job)] : allMembers(entity);
  const limit = atMost === undefined ? [] : ['--at-most', String(atMost)];
  if (!isSplit || !hasNumbers(entity)) return [launchLine(entity, limit)];
  // An array element may run several members.
  const isPacked = (job.array?.perElement ?? 1) > 1;
  return [launchLine(entity, [isPacked ? '--element' : '--member', '"$SIMWRIGHT_ARRAY_INDEX"', ...limit])];
}

/** The lines of members added by hand, one for each. */
function allMembers(entity: Entity): string[] {
  return Array.from({ length: entity.members.count }, (_, index) => memberLine(entity, index));
}

function memberLine(entity: Entity, index: number): string {
  return launchLine(entity, ['--member', String(index)], Math.floor(index / entity.members.replicas));
}

/** A `case` with the lines of each array element's members. */
function ownElements(entity: Entity, job: Job): string {
  const { count } = entity.members;
  const { size, perElement } = job.array ?? { size: count, perElement: 1 };
  const cases = Array.from({ length: size }, (_, element) => {
    const first = element * perElement;
    const indices = Array.from({ length: Math.min(perElement, count - first) }, (_, one) => first + one);
    const lines = indices.map((index) => memberLine(entity, index)).join('\n');
    return indent(`${element})\n${indent(lines)}\n  ;;`);
  });
  return ['case $SIMWRIGHT_ARRAY_INDEX in', ...cases, 'esac'].join('\n');
}

function launchLine({ name, launch, setup }: Entity, options: readonly string[], number = 0): string {
  const { words, breaks } = launch.lines[number] as Entity['launch']['lines'][number];
  const quoted = words.map(quoteShellWord);
  const head = ['runtime launch', quoteShellWord(name), ...options, '--'].join(' ');
  if (setup === undefined) {
    const last = quoted.length - 1;
    return wrapLine(head, [...quoted.slice(0, last), background(quoted[last] as string)], breaks);
  }
  const member = options[0] === '--at-most' ? [] : options.slice(0, 2);
  const trap = `# If a line fails before the launch, those that wait for it are told.\ntrap '${['runtime skip', quoteShellWord(name), ...member].join(' ')} -- "its setup failed"' EXIT\n`;
  return `(\n${indent(trap)}${setupLines(setup)}${indent(wrapLine(head, quoted, breaks))}\n${background(')')}`;
}

function background(command: string): string {
  return `${command} & launched+=($!)`;
}

/** The lines of a setup. They may read unset variables. */
function setupLines({ modules, commands }: Setup): string {
  return ['  set +u', ...modules.map((name) => `  ${loadModule(name)}`), ...commands.map(indent), '  set -u', ''].join(
    '\n',
  );
}

/** The line that loads an environment module. */
export function loadModule(name: string): string {
  return `module load ${quoteShellWord(name)}`;
}

/** The text, indented by two columns. A here-document stays as it is. */
function indent(text: string): string {
  return text.includes('<<') ? text : text.replace(/^(?=.)/gm, '  ');
}
