import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildModule, sourceFolder } from '../../../../src/cli/engine-install/build-module.js';
import { ClusterStore } from '../../../../src/runtime/engine/cluster-store.js';
import {
  askServer,
  type EnginePrograms,
  moduleName,
  type ServerProgram,
  serverPaths,
} from '../../../../src/runtime/engine/find-engine.js';
import { RedisStore } from '../../../../src/runtime/engine/redis-store.js';
import type { OrchestratorOptions } from '../../../../src/runtime/orchestrator/index.js';
import { type ClusterShard, layOut } from '../../../../src/runtime/supervisor/cluster-layout.js';
import { freePorts } from '../../../../src/runtime/supervisor/free-port.js';

/** Servers of this machine: those on the PATH, and those that `SIMWRIGHT_TEST_SERVERS` lists, separated by colons. */
export const servers: readonly ServerProgram[] = (
  await Promise.all(
    [
      ...serverPaths({ env: { PATH: process.env['PATH'] } }),
      ...(process.env['SIMWRIGHT_TEST_SERVERS'] ?? '').split(':'),
    ]
      .filter((path) => path !== '' && existsSync(path))
      // /bin may be /usr/bin; the program itself may be a link to one that asks for its own name.
      .map((path) => join(realpathSync(dirname(path)), basename(path)))
      .filter((path, at, all) => all.indexOf(path) === at)
      .map(askServer),
  )
).flatMap((server) => (server === undefined ? [] : [server]));

/** True if there is a C compiler. */
export const hasCompiler: boolean = (() => {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** The module, built once for each state of its source. */
export async function builtModule(flags: readonly string[] = []): Promise<string> {
  const hash = createHash('sha256').update(flags.join(' '));
  for (const name of readdirSync(sourceFolder()).sort()) hash.update(readFileSync(join(sourceFolder(), name)));
  const cache = fileURLToPath(new URL('../../../../node_modules/.cache/simwright-module/', import.meta.url));
  const folder = join(cache, hash.digest('hex').slice(0, 16));
  if (!existsSync(join(folder, moduleName)))
    await buildModule({ folder, flags: ['-Wall', '-Wextra', '-Werror', '-pedantic', ...flags] });
  return join(folder, moduleName);
}

/** A store on a server, on a free port of 127.0.0.1 and on a Unix socket. */
export interface StartedServer {
  readonly store: RedisStore;
  readonly port: number;
  readonly socketPath: string;
  readonly folder: string;
  /** Lines of the logs of the server and the AI layer. */
  readonly log: string[];
  stop(): Promise<void>;
}

/** Starts a store on a server of this machine. */
export async function startOnServer(
  server: ServerProgram,
  options: Partial<OrchestratorOptions> = {},
  hasWorker = true,
  redisai?: EnginePrograms['redisai'],
): Promise<StartedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'simwright-server-'));
  const socketPath = join(folder, 'store.sock');
  const log: string[] = [];
  const store = await RedisStore.start({
    programs: { server, module: await builtModule(), ...(redisai !== undefined && { redisai }) },
    hasWorker,
    onDeath: (reason) => log.push(`died: ${reason}`),
    store: {
      listen: [
        { kind: 'tcp', host: '127.0.0.1', port: 0 },
        { kind: 'unix', path: socketPath, permissions: 0o700 },
      ],
      log: (level, message) => log.push(`${level} ${message}`),
      ...options,
    },
  });
  const port = Number(store.addresses[0]?.split(':').at(-1));
  return {
    store,
    port,
    socketPath,
    folder,
    log,
    async stop() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Servers of a cluster on 127.0.0.1, with one AI layer. */
export interface StartedCluster {
  readonly store: ClusterStore;
  readonly shards: readonly ClusterShard[];
  /** As `SSDB` wants it. */
  readonly address: string;
  /** Lines of the logs of the servers and the AI layer. */
  readonly log: string[];
  stop(): Promise<void>;
}

/** Number of the replicas of each shard, and options of a shard of its own. */
export interface ClusterOptions {
  readonly replicas?: 0 | 1;
  readonly ofShard?: (shard: number) => Partial<OrchestratorOptions>;
}

/** Starts a cluster of so many shards on servers of this machine. */
export async function startCluster(
  server: ServerProgram,
  count: number,
  options: Partial<OrchestratorOptions> = {},
  hasWorker = true,
  { replicas = 0, ofShard }: ClusterOptions = {},
): Promise<StartedCluster> {
  const log: string[] = [];
  const host = '127.0.0.1';
  const all = count * (1 + replicas);
  const ports = await freePorts(2 * all, host);
  const places = Array.from({ length: all }, (_, index) => ({
    node: 'here',
    host,
    port: ports[2 * index] ?? 0,
    busPort: ports[2 * index + 1] ?? 0,
  }));
  const shards = layOut(places.slice(0, count), places.slice(count));
  const store = await ClusterStore.start({
    programs: { server, module: await builtModule() },
    shards,
    own: shards.map((_, index) => index),
    hasWorker,
    onDeath: (reason) => log.push(`died: ${reason}`),
    log: (level, message) => log.push(`${level} ${message}`),
    storeOf: (shard) => ({
      listen: [],
      log: (level, message) => log.push(`${level} ${message}`),
      ...options,
      ...(options.checkpointFile !== undefined && { checkpointFile: `${options.checkpointFile}.${shard}` }),
      ...ofShard?.(shard),
    }),
  });
  return { store, shards, address: store.addresses.join(','), log, stop: () => store.close() };
}

let started = 0;

/** Starts a cluster of so many servers, and gives one of them to clients, each time the next one: as `port`, and as a Unix socket that leads there. */
export async function startShards(
  server: ServerProgram,
  count: number,
  options: Partial<OrchestratorOptions>,
): Promise<Omit<StartedServer, 'store'> & { readonly store: ClusterStore }> {
  const cluster = await startCluster(server, count, options);
  const { port = 0 } = cluster.shards[started % count] ?? {};
  started += 1;
  const folder = mkdtempSync(join(tmpdir(), 'simwright-server-'));
  const socketPath = join(folder, 'store.sock');
  const tunnel = createServer((client) => {
    const shard = connect(port, '127.0.0.1');
    for (const socket of [client, shard]) socket.setNoDelay(true).on('error', () => undefined);
    client.pipe(shard).on('close', () => client.destroy());
    shard.pipe(client).on('close', () => shard.destroy());
  });
  await new Promise<void>((resolve) => tunnel.listen(socketPath, resolve));
  return {
    store: cluster.store,
    port,
    socketPath,
    folder,
    log: cluster.log,
    async stop() {
      tunnel.close();
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
