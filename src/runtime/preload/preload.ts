import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { PreloadedModel, PreloadedScript, Store } from '../../ir/index.js';
import { Client } from '../client/index.js';

/** Milliseconds without progress after which a store that loads a model is given up: large models take their time. */
const socketTimeoutMs = 3_600_000;

/** Loads a store's ML models and scripts through an ordinary client. Throws RUN1006 for one that is missing or that the store refuses. */
export async function preload(dir: string, store: Store, address: string): Promise<void> {
  if (store.mlModels.length + store.scripts.length === 0) return;
  const client = await Client.connect({
    env: { SSDB: address, SR_DB_TYPE: 'Standalone', SR_SOCKET_TIMEOUT: String(socketTimeoutMs) },
  });
  try {
    for (const model of store.mlModels) await preloadModel(client, dir, model);
    for (const script of store.scripts) await preloadScript(client, dir, script);
  } finally {
    await client.close();
  }
}

async function preloadModel(client: Client, dir: string, model: PreloadedModel): Promise<void> {
  const { backend, batchSize, minBatchSize, tag } = model;
  const options = { backend, batchSize, minBatchSize, minBatchTimeout: model.minBatchTimeoutMs, tag };
  try {
    const blob = readFileSync(join(dir, model.artifact));
    if (model.device === 'GPU' && model.devicesPerNode > 1) {
      await client.setModelMultiGpu(model.name, {
        ...options,
        blob,
        firstGpu: model.firstDevice,
        gpus: model.devicesPerNode,
      });
    } else {
      await client.setModel(model.name, { ...options, blob, device: deviceOf(model) });
    }
  } catch (error) {
    throw refused('ML model', model, error);
  }
}

async function preloadScript(client: Client, dir: string, script: PreloadedScript): Promise<void> {
  try {
    const source = readFileSync(join(dir, script.artifact), 'utf8');
    if (script.device === 'GPU' && script.devicesPerNode > 1) {
      await client.setScriptMultiGpu(script.name, source, {
        firstGpu: script.firstDevice,
        gpus: script.devicesPerNode,
      });
    } else {
      await client.setScript(script.name, deviceOf(script), source);
    }
  } catch (error) {
    throw refused('script', script, error);
  }
}

type Preloaded = PreloadedModel | PreloadedScript;

function deviceOf({ device, firstDevice }: Preloaded): string {
  return device === 'GPU' && firstDevice > 0 ? `GPU:${firstDevice}` : device;
}

function refused(kind: string, { name, artifact }: Preloaded, error: unknown): WorkflowError {
  return new WorkflowError({
    code: 'RUN1006',
    message: `${kind} '${name}' (${artifact}): ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}
