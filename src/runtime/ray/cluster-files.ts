import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { writeAtomically } from '../job/write-atomically.js';

/*
 * Files of a Ray cluster in run/clusters/NAME, a folder that only its user can enter. The launch that starts a cluster gives this start an id; what
 * the programs on the nodes tell each other and the launch is in files whose names begin with it.
 */

/** Order of a launch to the programs on the nodes. */
export const ClusterStart = z.object({
  id: z.string(),
  /** The launch's variables of the job, for nodes whose launcher does not hand them on. */
  env: z.record(z.string(), z.string()),
});
export type ClusterStart = z.infer<typeof ClusterStart>;

/** Head of a cluster, as it tells the other nodes. */
export const ClusterHead = z.object({
  /** `HOST:PORT` of Ray's own protocol. */
  address: z.string(),
  /** `ray://HOST:PORT`; absent where the head's Python has no gRPC. */
  client: z.string().optional(),
  /** URL of the dashboard, which listens on the head's loopback; absent without one. */
  dashboard: z.string().optional(),
  host: z.string(),
  version: z.string(),
});
export type ClusterHead = z.infer<typeof ClusterHead>;

/** A cluster all of whose nodes have joined. */
export const ClusterReady = z.object({ ...ClusterHead.shape, hosts: z.array(z.string()) });
export type ClusterReady = z.infer<typeof ClusterReady>;

/** Why a node's program has ended before it was told to. */
export const NodeFailure = z.object({ host: z.string(), reason: z.string() });
export type NodeFailure = z.infer<typeof NodeFailure>;

/** A running cluster, for those who use it: run/clusters/NAME/cluster.json. */
export const ClusterAddress = z.object({
  ...ClusterReady.shape,
  id: z.string(),
  job: z.string(),
  jobId: z.string(),
  /** Process of the launch that runs it. */
  launch: z.object({ host: z.string(), pid: z.number(), startTicks: z.string() }),
});
export type ClusterAddress = z.infer<typeof ClusterAddress>;

/** End of a cluster: run/clusters/NAME/ended.json. */
export const ClusterEnd = z.object({ id: z.string(), jobId: z.string(), reason: z.string() });
export type ClusterEnd = z.infer<typeof ClusterEnd>;

/** Folder of a cluster's files. */
export function clusterFolder(dir: string, cluster: string): string {
  return join(dir, 'run/clusters', cluster);
}

/** File with the token that a cluster asks of everybody. */
export function tokenFile(dir: string, cluster: string): string {
  return join(clusterFolder(dir, cluster), 'token');
}

/** Files of one cluster. */
export class ClusterFiles {
  readonly folder: string;

  constructor(
    readonly dir: string,
    readonly cluster: string,
  ) {
    this.folder = clusterFolder(dir, cluster);
  }

  /** Begins anew: makes the folder, and removes what earlier starts have left, this start's order and token apart. */
  begin(start: ClusterStart, token: string | undefined): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    chmodSync(this.folder, 0o700);
    this.clear();
    rmSync(join(this.folder, 'ended.json'), { force: true });
    if (token !== undefined) writeAtomically(tokenFile(this.dir, this.cluster), `${token}\n`, 0o600);
    this.#write('start.json', start);
  }

  /** Removes all but what tells of the end. */
  clear(): void {
    for (const name of this.#names()) if (name !== 'ended.json') rmSync(join(this.folder, name), { force: true });
  }

  start(): ClusterStart | undefined {
    return this.#read('start.json', ClusterStart);
  }

  publishHead(id: string, head: ClusterHead): void {
    this.#write(`${id}.head.json`, head);
  }

  head(id: string): ClusterHead | undefined {
    return this.#read(`${id}.head.json`, ClusterHead);
  }

  publishReady(id: string, ready: ClusterReady): void {
    this.#write(`${id}.ready.json`, ready);
  }

  ready(id: string): ClusterReady | undefined {
    return this.#read(`${id}.ready.json`, ClusterReady);
  }

  publishFailure(id: string, node: number, failure: NodeFailure): void {
    this.#write(`${id}.failed.${node}.json`, failure);
  }

  /** The first failure of a node that is known. */
  failure(id: string): NodeFailure | undefined {
    const names = this.#names().filter((name) => name.startsWith(`${id}.failed.`) && name.endsWith('.json'));
    return names.map((name) => this.#read(name, NodeFailure)).find((one) => one !== undefined);
  }

  publishAddress(address: ClusterAddress): void {
    this.#write('cluster.json', address);
  }

  address(): ClusterAddress | undefined {
    return this.#read('cluster.json', ClusterAddress);
  }

  announceEnd(end: ClusterEnd): void {
    if (existsSync(this.folder)) this.#write('ended.json', end);
  }

  end(): ClusterEnd | undefined {
    return this.#read('ended.json', ClusterEnd);
  }

  #write(name: string, value: unknown): void {
    writeAtomically(join(this.folder, name), `${JSON.stringify(value, undefined, 2)}\n`, 0o600);
  }

  /** A file that is there and whole. A listing first, since network file systems may remember for a while that a name was not there. */
  #read<Value>(name: string, schema: z.ZodType<Value>): Value | undefined {
    if (!this.#names().includes(name)) return undefined;
    try {
      return schema.parse(JSON.parse(readFileSync(join(this.folder, name), 'utf8')));
    } catch {
      return undefined;
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.folder);
    } catch {
      return [];
    }
  }
}
