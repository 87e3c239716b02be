import { type EngineName, engines } from '../../ir/index.js';
import { type Orchestrator, startOrchestrator } from '../orchestrator/index.js';
import { preload } from '../preload/preload.js';
import type { Engine, EngineStart, StartEngine } from './engine.js';
import { storeOptions } from './store-options.js';

/** Starts of stores by their engines. */
const starts: Readonly<Record<EngineName, StartEngine>> = {
  embedded: startEmbedded,
  redis: startOnServer,
  data: startOnServer,
  redisai: startOnServer,
};

/** Starts a store by its engine. @throws WorkflowError */
export function startEngine(start: EngineStart): Promise<Engine> {
  return starts[start.store.engine](start);
}

/** The store in this very process. */
async function startEmbedded(start: EngineStart): Promise<Engine> {
  return engineOf(await startOrchestrator(await storeOptions(start)), start);
}

/** A store that is a server beside this process, which holds it, and the AI layer in another one, or in RedisAI, if there is to be one. */
async function startOnServer(start: EngineStart): Promise<Engine> {
  if (start.store.kind === 'standalone' && start.store.shards > 1) {
    const { startCluster } = await import('./cluster.js');
    return startCluster(start, start.store, engines[start.store.engine].hasAiLayer, loadAndWarmUp);
  }
  // Reading code takes most of a start, and most stores need none of this.
  const [{ RedisStore }, { findStorePrograms }] = await Promise.all([
    import('../engine/redis-store.js'),
    import('./find-programs.js'),
  ]);
  const programs = await findStorePrograms(start);
  const store = await RedisStore.start({
    programs,
    store: await storeOptions(start),
    hasWorker: engines[start.store.engine].hasAiLayer,
    bundle: start.args.workerUrl,
    // The supervisor sees this process end, and does what it does for a store that has died.
    onDeath: (reason) => {
      process.stderr.write(`${reason}\n`);
      process.exit(1);
    },
  });
  return engineOf(store, start);
}

function engineOf(orchestrator: Orchestrator, start: EngineStart): Engine {
  const { addresses, runId } = orchestrator;
  return {
    addresses,
    shards: [],
    runId,
    restored: orchestrator.restored,
    ready: () => loadAndWarmUp(orchestrator, start),
    stats: () => orchestrator.stats(),
    refreshStats: () => orchestrator.refreshStats(),
    stop: (checkpoint) => orchestrator.close(checkpoint),
    get isStuck() {
      return orchestrator.isStuck;
    },
  };
}

/** Loads the plan's models and scripts, and runs each once where that can be; a run that fails is worth a warning, since no client has asked. */
async function loadAndWarmUp(orchestrator: Orchestrator, { job, store, log }: EngineStart): Promise<void> {
  const keys = await preload(job.dir, store, orchestrator.addresses);
  if (!engines[store.engine].hasAiLayer) {
    if (keys.length > 0) log.write('info', `ML models and scripts are loaded: ${keys.join(', ')}`);
    return;
  }
  for (const { key, kind, outcome, why } of await orchestrator.warmUp(keys)) {
    const what = `${kind === 'model' ? 'ML model' : 'script'} '${key}'`;
    if (outcome === 'ran') log.write('info', `${what} is loaded and warmed up`);
    else if (outcome === 'failed') log.write('warn', `${what} is loaded, and its warm-up on zeros failed: ${why}`);
    else log.write('info', `${what} is loaded; the shapes of its inputs are not known, so it is not warmed up`);
  }
}
