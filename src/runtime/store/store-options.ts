import { defined, type Plan, type Store } from '../../ir/index.js';
import { type BackendName, backends } from '../../ml/backends.js';
import { allowAddresses, makeAllowFolder } from '../allow/allow-list.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { outerAddresses } from '../job/network-address.js';
import { checkpointFile } from '../job/paths.js';
import type { OrchestratorOptions, TcpListen, UnixListen } from '../orchestrator/index.js';
import { placesOf } from '../preload/preload.js';
import { RecordFile } from '../store-files/saved-stores.js';
import { version } from '../version.js';
import { parseDeviceMap } from './device-map.js';
import type { EngineStart } from './engine.js';
import { listenPlace } from './listen-places.js';
import { storePosition } from './store-position.js';

/** Options of a store on this node, as the plan wants it; of one of its servers, by its position, where it is a cluster. */
export async function storeOptions(start: EngineStart, shard?: number): Promise<OrchestratorOptions> {
  const { job, plan, store, args, log } = start;
  const place = await listenPlace(job, plan, store, args.port);
  return {
    listen: [place],
    version,
    ...allowed(job, plan, store, place),
    ...savingOf(start, shard),
    expectsModels: store.mlModels.length > 0,
    // Without a number of its own, ONNX Runtime would take every core of the node, the application's too.
    intraOpThreads: store.intraOpThreads ?? store.cpus,
    ...defined({
      onnxRuntime: args.onnxRuntime,
      python: args.python,
      threadsPerQueue: store.threadsPerQueue,
      interOpThreads: store.interOpThreads,
      executionTimeoutSeconds: store.executionTimeoutSeconds,
      maxClients: store.maxClients,
      maxMemoryBytes: store.maxMemoryMiB === undefined ? undefined : store.maxMemoryMiB * 1024 * 1024,
      evictionPolicy: store.kind === 'standalone' ? store.evictionPolicy : undefined,
      busyPollMicros: job.busyPollMicros,
    }),
    preloadBackends: workersOf(store),
    mapDevice: parseDeviceMap(process.env['SIMWRIGHT_MAP_DEVICE']),
    workerUrl: args.workerUrl,
    log: log.write,
  };
}

/** Workers that its models need: started side by side, they import their frameworks at the same time. */
function workersOf({ mlModels }: Store): { readonly backend: BackendName; readonly device: string }[] {
  const needed = new Map<string, { readonly backend: BackendName; readonly device: string }>();
  for (const model of mlModels) {
    if (backends[model.backend].isBuiltIn) continue;
    for (const { device } of placesOf(model)) {
      needed.set(`${model.backend} ${device}`, { backend: model.backend, device });
    }
  }
  return [...needed.values()];
}

/** Where and how often it saves, and under which name others know what it has saved. */
function savingOf({ job, plan, store, args }: EngineStart, shard: number | undefined) {
  const file = checkpointFile(job, store, shard === undefined ? storePosition(job, store, process.env) : String(shard));
  const { checkpointSeconds: seconds } = store;
  return {
    checkpointFile: file,
    checkpointRecord: new RecordFile(file),
    // Most of a start is reading code, and this is for those that bring something back.
    staleKeys: async () => (await import('../rerun/stale-keys.js')).staleKeys(job, plan, store),
    nodes: store.kind === 'colocated' ? store.nodes : store.shards,
    ...defined({ storeId: args.id, checkpointSeconds: seconds === 0 ? undefined : seconds }),
  };
}

/** Peers beyond loopback: this host itself where that is not its address, and for a store on the network the hosts of its users. */
function allowed(
  job: JobEnvironment,
  plan: Plan,
  store: Store,
  place: TcpListen | UnixListen,
): Pick<OrchestratorOptions, 'allow'> {
  if (place.kind === 'unix') return {};
  if (store.kind === 'colocated') return { allow: { addresses: [place.host] } };
  if (store.scope === 'loopback') return {};
  // A cluster's nodes look for each other as soon as they are there, from whichever of their addresses.
  if (store.shards > 1) allowAddresses(job, plan, store.name, outerAddresses());
  return { allow: { addresses: [place.host], folder: makeAllowFolder(job, plan, store.name) } };
}
