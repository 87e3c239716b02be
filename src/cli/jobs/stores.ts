import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Plan } from '../../ir/index.js';
import { storeFolder } from '../../runtime/job/paths.js';

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

/** Statistics of one server of a cluster: its number from 1, its address, the first and the last of its slots, and counts. */
const Shard = z
  .object({
    shard: number,
    address: z.string(),
    first: number,
    last: number,
    ...counts,
    models: z.number().optional().catch(undefined),
  })
  .readonly();
export type ShardReport = z.infer<typeof Shard>;

const Stats = z.object({ ...counts, inferences: number, shards: z.array(Shard).readonly().optional() });
const Address = z.object({ nodes: z.array(z.object({ addresses: z.array(z.string()) })) });

/** Every store of the plan, from the files that it keeps in run/stores/NAME. */
export function storeReports(plan: Plan, dir: string): StoreReport[] {
  return plan.stores.map(({ name }) => {
    const places = placesOf(storeFolder(dir, name));
    const stats = places.flatMap((place) => statsFiles(place)).flatMap((file) => parse(Stats, file) ?? []);
    const [first] = stats;
    const addresses = places.flatMap((place) => parse(Address, join(place, 'address.json'))?.nodes ?? []);
    return {
      name,
      addresses: addresses.flatMap((node) => node.addresses),
      ...(first === undefined ? {} : { stats: stats.slice(1).reduce<StoreStats>(sum, first) }),
    };
  });
}

/** `12.3 MiB, 100 requests, 4 inferences`, and before it `3 shards`. */
export function describeStats({ usedBytes, requests, inferences, shards }: StoreStats): string {
  const parts = shards === undefined ? '' : `${shards.length} shards, `;
  return `${parts}${mebibytes(usedBytes)}, ${requests} requests, ${inferences} inferences`;
}

/** An amount of memory for people: `12.3 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** The store's folder, and those of the elements of a job array below it. */
function placesOf(folder: string): string[] {
  return [folder, ...names(folder, /^\d+$/).map((name) => join(folder, name))];
}

function statsFiles(place: string): string[] {
  return names(place, /\.stats\.json$/).map((name) => join(place, name));
}

function names(folder: string, pattern: RegExp): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => pattern.test(name)) : [];
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
    ...(one.shards === undefined
      ? {}
      : { shards: [...one.shards, ...(other.shards ?? [])].sort((a, b) => a.first - b.first) }),
  };
}
