import * as z from 'zod';
import {
  type ColocatedDeclaration,
  EngineName,
  EvictionPolicy,
  namePattern,
  type OrchestratorDeclaration,
  parseMemoryMiB,
} from '../ir/index.js';
import { type Arguments, defined, hostNames, memoryHint, natural, nonEmptyText, positive } from './arguments.js';
import type { OrchestratorOptions, StoreLimits } from './options.js';

const port = z.int().min(1, 'ports start at 1').max(65535, 'ports end at 65535');
const storeId = z.string().regex(namePattern, 'it starts with a letter and holds letters, digits, "_", "." and "-"');
const permissions = z.int().min(0).max(0o777, 'mode bits are at most 0o777');
const cpuNumbers = z
  .array(natural)
  .min(1, 'at least one CPU is needed')
  .refine((cpus) => new Set(cpus).size === cpus.length, 'each CPU is named once');

const limitKeys = [
  'engine',
  'cpus',
  'threadsPerQueue',
  'interOpThreads',
  'intraOpThreads',
  'maxClients',
  'maxMemory',
  'checkpointSeconds',
] as const satisfies readonly (keyof StoreLimits)[];

function storeLimits(checked: Arguments, options: Partial<StoreLimits>) {
  return defined({
    engine: checked.choice(EngineName.options, options.engine, 'engine'),
    cpus: checked.optional(positive, options.cpus, 'cpus'),
    threadsPerQueue: checked.optional(positive, options.threadsPerQueue, 'threadsPerQueue'),
    interOpThreads: checked.optional(positive, options.interOpThreads, 'interOpThreads'),
    intraOpThreads: checked.optional(positive, options.intraOpThreads, 'intraOpThreads'),
    maxClients: checked.optional(positive, options.maxClients, 'maxClients'),
    maxMemoryMiB: checked.parse('DSL1006', options.maxMemory, parseMemoryMiB, memoryHint),
    checkpointSeconds: checked.optional(natural, options.checkpointSeconds, 'checkpointSeconds'),
  });
}

/** Any mix of the keys of both forms, as it may come from code that the types did not check. */
type LooseColocateOptions = StoreLimits & {
  id?: string;
  pin?: readonly number[];
  tcp?: boolean;
  uds?: boolean;
  port?: number;
  interface?: string;
  socket?: string;
  permissions?: number;
};

/** What `.colocate()` was given. */
export function colocatedNode(checked: Arguments, given: LooseColocateOptions): ColocatedDeclaration {
  const own = ['tcp', 'uds', 'port', 'interface', 'socket', 'permissions', 'id', 'pin'] as const;
  const options = checked.options(given, [...own, ...limitKeys]);
  checked.optional(z.boolean(), options.tcp, 'tcp');
  checked.optional(z.boolean(), options.uds, 'uds');
  if ((options.tcp === true) === (options.uds === true)) {
    const hint = 'say { uds: true } or { tcp: true }';
    checked.problems.error('DSL1001', '.colocate() needs either tcp or uds', checked.at, hint);
  } else {
    const foreign = options.tcp === true ? (['socket', 'permissions'] as const) : (['port', 'interface'] as const);
    for (const name of foreign) {
      if (options[name] === undefined) continue;
      const message = `.colocate(): ${name} belongs to ${options.tcp === true ? 'uds' : 'tcp'}, and this store uses ${options.tcp === true ? 'tcp' : 'uds'}`;
      checked.problems.error('DSL1001', message, checked.at);
    }
  }
  const transport =
    options.tcp === true
      ? defined({
          kind: 'tcp' as const,
          port: checked.optional(port, options.port, 'port'),
          interface: checked.optional(nonEmptyText, options.interface, 'interface'),
        })
      : defined({
          kind: 'uds' as const,
          socket: checked.optional(nonEmptyText, options.socket, 'socket'),
          permissions: checked.optional(permissions, options.permissions, 'permissions'),
        });
  return defined({
    kind: 'colocated',
    at: checked.at,
    transport,
    id: checked.optional(storeId, options.id, 'id'),
    pin: checked.optional(cpuNumbers, options.pin, 'pin'),
    ...storeLimits(checked, options),
  });
}

/** What `.orchestrator()` was given, its name excepted. */
export function orchestratorNode(
  checked: Arguments,
  given: OrchestratorOptions | undefined,
): Omit<OrchestratorDeclaration, 'name'> {
  const options = checked.options(given, [
    'name',
    'shards',
    'nodes',
    'hosts',
    'port',
    'interface',
    'evictionPolicy',
    'restart',
    'saveAtEnd',
    ...limitKeys,
  ]);
  return defined({
    kind: 'orchestrator',
    at: checked.at,
    shards: checked.optional(positive, options.shards, 'shards'),
    nodes: checked.optional(positive, options.nodes, 'nodes'),
    hosts: checked.optional(hostNames, options.hosts, 'hosts'),
    port: checked.optional(port, options.port, 'port'),
    interface: checked.optional(nonEmptyText, options.interface, 'interface'),
    evictionPolicy: checked.choice(EvictionPolicy.options, options.evictionPolicy, 'evictionPolicy'),
    restart: checked.optional(z.boolean(), options.restart, 'restart'),
    saveAtEnd: options.saveAtEnd === undefined ? undefined : checked.list(options.saveAtEnd, 'saveAtEnd', nonEmptyText),
    ...storeLimits(checked, options),
  });
}
