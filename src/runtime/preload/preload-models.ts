import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { PreloadedModel, Store } from '../../ir/index.js';
import { Client } from '../client/index.js';

/** Milliseconds without progress after which a store that loads a model is given up: large models take their time. */
const socketTimeoutMs = 3_600_000;

/** Loads a store's ML models through an ordinary client. Throws RUN1006 for one that is missing or that the store refuses. */
export async function preloadModels(dir: string, store: Store, address: string): Promise<void> {
  if (store.mlModels.length === 0) return;
  const client = await Client.connect({
    env: { SSDB: address, SR_DB_TYPE: 'Standalone', SR_SOCKET_TIMEOUT: String(socketTimeoutMs) },
  });
  try {
    for (const model of store.mlModels) await preload(client, dir, model);
  } finally {
    await client.close();
  }
}

async function preload(client: Client, dir: string, model: PreloadedModel): Promise<void> {
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
    throw new WorkflowError({
      code: 'RUN1006',
      message: `ML model '${model.name}' (${model.artifact}): ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

function deviceOf(model: PreloadedModel): string {
  return model.device === 'GPU' && model.firstDevice > 0 ? `GPU:${model.firstDevice}` : model.device;
}
