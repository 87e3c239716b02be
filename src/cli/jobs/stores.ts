import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Plan } from '../../ir/index.js';
import { storeFolder } from '../../runtime/job/paths.js';
import { isStatsFile } from '../../runtime/store-files/stats-files.js';
import { clientAddresses, StoreAddress } from '../../runtime/store-files/store-address.js';

/** Statistics of a store, summed over its hosts and, in a job array, over the elements' stores. */
export interface StoreReport {
  readonly name: string;
  /** Empty where none of it runs. */
  readonly addresses: readonly string[];
  /** Absent before it has said anything. */
  readonly stats?: StoreStats;
}

export interface StoreStats {
  readonly usedBytes: number;
  readonly keys: number;
  readonly clients: number;
  readonly requests: number;
  readonly inferences: number;
  /** The servers of a cluster, by their slots; absent for a store in one piece. */
  readonly shards?: readonly ShardReport[] | undefined;
}

const number = z.number().catch(0).default(0);
const counts = { usedBytes: number, keys: number, clients: number, requests: number };

const TakeOver = z.object({ time: z.string(), from: z.string(), to: z.string() }).readonly();
const Replica = z.object({ address: z.string(), host: z.string(), state: z.string() }).readonly();

/**
 * Statistics of the server of a cluster that has a shard's slots: the number of the shard from 1, the server's address and host, the first and
 * the last of the slots, and counts. In a cluster with replicas also the shard's replica, and its take-overs since the store was started.
 */
const Shard = z
  .object({ shard: number, address: z.string(), host: z.string().default(''), first: number, last: number })
  .extend({ ...counts, models: z.number().optional().catch(undefined) })
  .extend({ replica: Replica.optional(), takeOvers: z.array(TakeOver).readonly().optional() })
  .readonly();
export type ShardReport = z.infer<typeof Shard>;

const Stats = z.object({ ...counts, inferences: number, shards: z.array(Shard).readonly().optional() });
const Address = z.object({ nodes: z.array(z.object({ addresses: z.array(z.string()) })) });

/** Every store of the plan, from the files that it keeps in run/stores/NAME; statistics that were written after a time, in milliseconds since 1970. */
export function storeReports(plan: Plan, dir: string, sinceMs = 0): StoreReport[] {
  return plan.stores.map(({ name }) => {
    const places = placesOf(storeFolder(dir, name));
    const stats = places.flatMap((place) =>
      statsOf(statsFiles(place, sinceMs).flatMap((file) => parse(Stats, file) ?? [])),
    );
    const [first] = stats;
    const addresses = places.flatMap((place) => parse(Address, join(place, 'address.json'))?.nodes ?? []);
    return {
      name,
      addresses: addresses.flatMap((node) => node.addresses),
      ...(first === undefined ? {} : { stats: stats.slice(1).reduce<StoreStats>(sum, first) }),
    };
  });
}

/** Stores that have an address now, as `SSDB` wants it: a cluster's servers by their slots. Elements of a job array have one each. */
export function runningStores(plan: Plan, dir: string): { readonly name: string; readonly address: string }[] {
  return plan.stores.flatMap(({ name }) =>
    placesOf(storeFolder(dir, name)).flatMap((place) => {
      const address = parse(StoreAddress, join(place, 'address.json'));
      const own = address === undefined ? [] : clientAddresses(address);
      return own.length === 0 ? [] : [{ name, address: own.join(',') }];
    }),
  );
}

/** `12.3 MiB, 100 requests, 4 inferences`, and before it `3 shards`, `1 replica down`, `2 take-overs`. */
export function describeStats({ usedBytes, requests, inferences, shards = [] }: StoreStats): string {
  const states = shards.flatMap(({ replica }) => replica?.state ?? []).filter((state) => state !== 'in sync');
  const replicas = [...new Set(states)].map((state) => {
    const count = states.filter((one) => one === state).length;
    return `${count} ${count === 1 ? 'replica' : 'replicas'} ${state}`;
  });
  const moves = shards.flatMap(({ takeOvers = [] }) => takeOvers).length;
  return [
    ...(shards.length === 0 ? [] : [`${shards.length} shards`]),
    ...replicas,
    ...(moves === 0 ? [] : [moves === 1 ? '1 take-over' : `${moves} take-overs`]),
    ...[mebibytes(usedBytes), `${requests} requests`, `${inferences} inferences`],
  ].join(', ');
}

/** `shard 2 of store orchestrator was taken over by 10.0.0.2:7000 from 10.0.0.1:7001 at 2026-11-29T12:03:04Z`, a line each. */
export function takeOverLines({ name, stats }: StoreReport): string[] {
  return (stats?.shards ?? []).flatMap(({ shard, takeOvers = [] }) =>
    takeOvers.map(({ time, from, to }) => {
      const when = time.replace(/\.\d+Z$/, 'Z');
      return `shard ${shard} of store ${name} was taken over by ${to} from ${from} at ${when}`;
    }),
  );
}

/** An amount of memory for people: `12.3 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** The store's folder, and those of the elements of a job array below it. */
function placesOf(folder: string): string[] {
  return [folder, ...names(folder, (name) => /^\d+$/.test(name)).map((name) => join(folder, name))];
}

function statsFiles(place: string, sinceMs: number): string[] {
  const files = names(place, isStatsFile).map((name) => join(place, name));
  return files.filter((file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= sinceMs);
}

/**
 * Statistics of the processes of one start of a store. A node that has gone leaves its last ones, with shards that others have taken over since:
 * of each shard those count that know of most take-overs.
 */
function statsOf(processes: readonly StoreStats[]): readonly StoreStats[] {
  const inferences = processes.reduce((all, one) => all + one.inferences, 0);
  const newest = new Map<number, ShardReport>();
  for (const one of processes.flatMap(({ shards = [] }) => shards)) {
    const other = newest.get(one.shard);
    if ((one.takeOvers?.length ?? 0) >= (other?.takeOvers?.length ?? 0)) newest.set(one.shard, one);
  }
  if (newest.size === 0) return processes;
  const total = (of: (shard: ShardReport) => number) => [...newest.values()].reduce((all, one) => all + of(one), 0);
  const shards = [...newest.values()].sort((a, b) => a.first - b.first);
  return [
    {
      usedBytes: total(({ usedBytes }) => usedBytes),
      keys: total(({ keys }) => keys),
      clients: Math.max(...shards.map(({ clients }) => clients)),
      requests: total(({ requests }) => requests),
      ...{ inferences, shards },
    },
  ];
}

function names(folder: string, matches: (name: string) => boolean): string[] {
  return existsSync(folder) ? readdirSync(folder).filter(matches) : [];
}

/** A JSON file; `undefined` where it is gone, or just being replaced. */
function parse<Schema extends z.ZodType>(schema: Schema, path: string): z.infer<Schema> | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function sum(one: StoreStats, other: StoreStats): StoreStats {
  return {
    usedBytes: one.usedBytes + other.usedBytes,
    keys: one.keys + other.keys,
    clients: one.clients + other.clients,
    requests: one.requests + other.requests,
    inferences: one.inferences + other.inferences,
  };
}
