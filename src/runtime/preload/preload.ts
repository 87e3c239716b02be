import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { defined, type PreloadedModel, type PreloadedScript, type Store } from '../../ir/index.js';
import { modelChunkBytes, storeModelOn, storeScriptOn } from '../client/calls/models.js';
import { readSettings } from '../client/settings.js';
import { type Shard, Shards } from '../client/shards.js';

/** Milliseconds without progress after which a store that loads a model is given up: large models take their time. */
const socketTimeoutMs = 3_600_000;

/**
 * Loads a store's ML models and scripts as a client does, on those of its servers that run on this node, all at the same time; returns their keys,
 * copies for several GPUs included. On the shard of a cluster a key has the shard's own prefix, which is not among what is returned. Throws
 * RUN1006 for one that is missing or that the store refuses.
 */
export async function preload(dir: string, store: Store, addresses: readonly string[]): Promise<string[]> {
  if (store.mlModels.length + store.scripts.length === 0) return [];
  const isCluster = store.kind === 'standalone' && store.shards > 1;
  const settings = readSettings({
    SSDB: addresses.slice(0, 1).join(),
    SR_DB_TYPE: isCluster ? 'Clustered' : 'Standalone',
    SR_SOCKET_TIMEOUT: String(socketTimeoutMs),
  });
  const shards = await Shards.open(settings);
  try {
    const own = isCluster ? shards.all.filter(({ address }) => addresses.includes(address)) : [shards.first];
    // Servers of other nodes may not serve yet.
    const [first = shards.first] = own;
    const chunkBytes = await modelChunkBytes({ first });
    const keys: string[] = [];
    for (const model of store.mlModels) keys.push(...(await preloadModel(own, dir, model, chunkBytes)));
    for (const script of store.scripts) keys.push(...(await preloadScript(own, dir, script)));
    return keys;
  } finally {
    await shards.close();
  }
}

async function preloadModel(
  shards: readonly Shard[],
  dir: string,
  model: PreloadedModel,
  chunkBytes: number,
): Promise<string[]> {
  const { backend, batchSize, minBatchSize, tag } = model;
  const options = {
    backend,
    batchSize,
    minBatchSize,
    minBatchTimeout: model.minBatchTimeoutMs,
    tag,
    ...defined({ inputs: model.inputs, outputs: model.outputs }),
  };
  return onAll(shards, 'ML model', model, () => {
    const blob = readFileSync(join(dir, model.artifact));
    return (shard, { key, device }) => storeModelOn(shard, key, { ...options, blob, device }, chunkBytes);
  });
}

async function preloadScript(shards: readonly Shard[], dir: string, script: PreloadedScript): Promise<string[]> {
  return onAll(shards, 'script', script, () => {
    const source = readFileSync(join(dir, script.artifact), 'utf8');
    return (shard, { key, device }) => storeScriptOn(shard, key, device, source);
  });
}

/** Stores one of them on all shards. @throws WorkflowError RUN1006 */
async function onAll(
  shards: readonly Shard[],
  kind: string,
  preloaded: Preloaded,
  read: () => (shard: Shard, place: Place) => Promise<void>,
): Promise<string[]> {
  try {
    const store = read();
    const places = placesOf(preloaded);
    for (const place of places) await Promise.all(shards.map((shard) => store(shard, place)));
    return places.map(({ key }) => key);
  } catch (error) {
    throw refused(kind, preloaded, error);
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
