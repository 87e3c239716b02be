import * as z from 'zod';
import { evictionPolicies } from '../eviction-policies.js';
import { EngineName } from '../site.js';
import { choice, list, type Options, type OptionsOf, own, quantity, value } from './option.js';
import { hostNames, memory, namePattern, natural, nonEmptyText, port, positive } from './values.js';

const EvictionPolicy = z.enum(evictionPolicies);
const storeId = z.string().regex(namePattern, 'it starts with a letter and holds letters, digits, "_", "." and "-"');
const cpuNumbers = z
  .array(natural)
  .min(1, 'at least one CPU is needed')
  .refine((cpus) => new Set(cpus).size === cpus.length, 'each CPU is named once');

export const storeLimits = {
  /** Program that it is: one Node process, Redis or Valkey with a module of ours, the same without models, or the site's Redis with RedisAI. @default the site's, else 'embedded' */
  engine: choice(EngineName),
  /** CPUs set aside for it on each of its nodes. @default 1 */
  cpus: value(positive),
  /** Worker threads a device. @default 1 */
  threadsPerQueue: value(positive),
  /** Threads that run operators of one model side by side. @default the runtime's choice */
  interOpThreads: value(positive),
  /** Threads that share one operator. @default the runtime's choice */
  intraOpThreads: value(positive),
  /** Seconds that one run of a model may take; one that takes longer is stopped. @default 60 */
  executionTimeoutSeconds: value(positive),
  /** Most connections at a time. */
  maxClients: value(positive),
  /** Memory for its keys: `'16G'`. @default no limit */
  maxMemory: quantity(memory).as('maxMemoryMiB'),
  /**
   * Seconds between two copies of its keys on disk; 0: none is made, not at the end of its job either.
   * @default one at the end of its job, while something that can read it has not completed
   */
  checkpointSeconds: value(natural),
};

/** Engine, threads, clients and memory of a store. */
export interface StoreLimits extends OptionsOf<typeof storeLimits>, Options {}

export const tcpOptions = {
  /** Port to listen on. @default a free one */
  port: value(port),
  /** Network interface to listen on. @default loopback */
  interface: value(nonEmptyText),
};

export const udsOptions = {
  /** Path of the socket, at most 107 bytes. @default in a folder of the job's own under /tmp */
  socket: value(nonEmptyText),
  /** Mode bits of the socket. @default 0o700 */
  permissions: value(z.int().min(0).max(0o777, 'mode bits are at most 0o777')),
};

export const colocatedOptions = {
  /** SmartRedis's identifier: the store is then found by `SSDB_ID`. */
  id: value(storeId),
  /** CPUs it is pinned to, counted from 0 among those that the job has on the node. @default none in particular */
  pin: value(cpuNumbers),
  ...storeLimits,
};

export const transportOptions = {
  /** True for a store over TCP. */
  tcp: value(z.boolean()),
  /** True for a store over a Unix socket. */
  uds: value(z.boolean()),
};

/** The options of `.colocate()`, for both transports. */
export const colocateOptions = {
  ...transportOptions,
  ...tcpOptions,
  ...udsOptions,
  ...colocatedOptions,
};

/** A store on each node of the entity, over TCP. */
export interface ColocateTcpOptions
  extends OptionsOf<typeof transportOptions>,
    OptionsOf<typeof tcpOptions>,
    OptionsOf<typeof colocatedOptions> {
  tcp: true;
  uds?: never;
}

/** A store on each node of the entity, over a Unix socket. */
export interface ColocateUdsOptions
  extends OptionsOf<typeof transportOptions>,
    OptionsOf<typeof udsOptions>,
    OptionsOf<typeof colocatedOptions> {
  uds: true;
  tcp?: never;
}

/** A store on each node of the entity, over TCP on loopback or over a Unix socket. */
export type ColocateOptions = ColocateTcpOptions | ColocateUdsOptions;

export const orchestratorOptions = {
  /** Name of the store: SmartRedis's identifier as well, unless it is the default. @default 'orchestrator' */
  name: own(z.string()).or('orchestrator'),
  /** Servers it is split over, as a Redis Cluster. @default as many as `nodes` */
  shards: value(positive),
  /** Nodes its shards are spread over; fewer than shards have several each. @default 1 with one shard, else one a shard */
  nodes: value(positive),
  /** Copies of each shard, on another node, which take over from one that dies. @default 0 */
  replicas: value(z.union([z.literal(0), z.literal(1)], 'write 0 or 1')),
  /** True for nodes of its own inside the job: nothing else runs there but what shares its nodes. @default false */
  apart: value(z.boolean()),
  /** Names of the hosts that it runs on. */
  hosts: value(hostNames),
  /** Port to listen on; further shards of a node take the ports after it. @default a free one */
  port: value(port),
  /** Network interface to listen on. @default loopback when its users run on its own node, else the site's */
  interface: value(nonEmptyText),
  /** Rule for what goes when `maxMemory` is reached, by Redis's names. @default 'noeviction' */
  evictionPolicy: choice(EvictionPolicy),
  /** True to start it again where it was, with the last copy of its keys, when it dies. @default false */
  restart: value(z.boolean()),
  /** Keys, by name or glob, that are written as .npy into run/ when it ends: `['*.profile']`. */
  saveAtEnd: list(nonEmptyText),
  ...storeLimits,
};

/** A standalone store. */
export interface OrchestratorOptions<Name extends string = string> extends OptionsOf<typeof orchestratorOptions> {
  name?: Name;
}
