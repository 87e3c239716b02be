import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Orchestrator,
  type OrchestratorOptions,
  startOrchestrator,
} from '../../../../src/runtime/orchestrator/index.js';

/** The onnxruntime-node package of this checkout, or undefined where the optional dependency is not installed. */
export const onnxRuntime: string | undefined = (() => {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
})();

/** A model made by `models/make.py`. */
export function modelFile(name: string): Buffer {
  return readFileSync(new URL(`../models/${name}.onnx`, import.meta.url));
}

/** A running orchestrator on a free port of 127.0.0.1 and on a Unix socket. */
export interface Started {
  readonly orchestrator: Orchestrator;
  readonly port: number;
  readonly socketPath: string;
  readonly folder: string;
  stop(): Promise<void>;
}

/** The embedded store; where a test of another engine has said so, a store of that one. */
export async function start(options: Partial<OrchestratorOptions> = {}): Promise<Started> {
  if (process.env['SIMWRIGHT_TEST_ENGINE'] === 'redis') return startOnRedis(options);
  const folder = mkdtempSync(join(tmpdir(), 'simwright-orchestrator-'));
  const socketPath = join(folder, 'store.sock');
  const orchestrator = await startOrchestrator({
    listen: [
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      { kind: 'unix', path: socketPath, permissions: 0o700 },
    ],
    ...(onnxRuntime !== undefined && { onnxRuntime }),
    ...options,
  });
  const port = Number(orchestrator.addresses[0]?.split(':').at(-1));
  return {
    orchestrator,
    port,
    socketPath,
    folder,
    async stop() {
      await orchestrator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startOnRedis(options: Partial<OrchestratorOptions>): Promise<Started> {
  const { servers, startOnServer, startShards } = await import('../../engine/support/servers.js');
  const named = process.env['SIMWRIGHT_TEST_SERVER'];
  const server = servers.find(({ path }) => named === undefined || path === named);
  if (server === undefined) throw new Error('there is no server here');
  const shards = Number(process.env['SIMWRIGHT_TEST_SHARDS'] ?? 1);
  const all = { ...(onnxRuntime !== undefined && { onnxRuntime }), ...options };
  const { store, ...started } =
    shards === 1 ? await startOnServer(server, all) : await startShards(server, shards, all);
  return { orchestrator: store, ...started };
}
