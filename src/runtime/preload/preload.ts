import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { defined, type PreloadedModel, type PreloadedScript, type Store } from '../../ir/index.js';
import { Client } from '../client/index.js';

/** Milliseconds without progress after which a store that loads a model is given up: large models take their time. */
const socketTimeoutMs = 3_600_000;

/**
 * Loads a store's ML models and scripts through an ordinary client; returns their keys, copies for several GPUs included. Throws RUN1006
 * for one that is missing or that the store refuses.
 */
export async function preload(dir: string, store: Store, address: string): Promise<string[]> {
  if (store.mlModels.length + store.scripts.length === 0) return [];
  const client = await Client.connect({
    env: { SSDB: address, SR_DB_TYPE: 'Standalone', SR_SOCKET_TIMEOUT: String(socketTimeoutMs) },
  });
  const keys: string[] = [];
  try {
    for (const model of store.mlModels) keys.push(...(await preloadModel(client, dir, model)));
    for (const script of store.scripts) keys.push(...(await preloadScript(client, dir, script)));
  } finally {
    await client.close();
  }
  return keys;
}

async function preloadModel(client: Client, dir: string, model: PreloadedModel): Promise<string[]> {
  const { backend, batchSize, minBatchSize, tag } = model;
  const options = {
    backend,
    batchSize,
    minBatchSize,
    minBatchTimeout: model.minBatchTimeoutMs,
    tag,
    ...defined({ inputs: model.inputs, outputs: model.outputs }),
  };
  try {
    const blob = readFileSync(join(dir, model.artifact));
    const places = placesOf(model);
    for (const { key, device } of places) await client.setModel(key, { ...options, blob, device });
    return places.map(({ key }) => key);
  } catch (error) {
    throw refused('ML model', model, error);
  }
}

async function preloadScript(client: Client, dir: string, script: PreloadedScript): Promise<string[]> {
  try {
    const source = readFileSync(join(dir, script.artifact), 'utf8');
    const places = placesOf(script);
    for (const { key, device } of places) await client.setScript(key, device, source);
    return places.map(({ key }) => key);
  } catch (error) {
    throw refused('script', script, error);
  }
}

type Preloaded = PreloadedModel | PreloadedScript;

interface Place {
  readonly key: string;
  readonly device: string;
}

/**
 * Keys that clients look under, with their devices. On several GPUs, or on another than the first, there is a copy a GPU under `NAME.GPU:i`,
 * which the clients' calls for several GPUs run. The plain name is the first GPU's where there are several, as after `set_model_multigpu`.
 */
export function placesOf({ name, device, devicesPerNode, firstDevice }: Preloaded): Place[] {
  if (device !== 'GPU' || (devicesPerNode === 1 && firstDevice === 0)) return [{ key: name, device }];
  const copies = Array.from({ length: devicesPerNode }, (_, index) => `GPU:${firstDevice + index}`);
  return [
    ...copies.map((copy) => ({ key: `${name}.${copy}`, device: copy })),
    { key: name, device: devicesPerNode === 1 ? `GPU:${firstDevice}` : 'GPU' },
  ];
}

function refused(kind: string, { name, artifact }: Preloaded, error: unknown): WorkflowError {
  return new WorkflowError({
    code: 'RUN1006',
    message: `${kind} '${name}' (${artifact}): ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}
