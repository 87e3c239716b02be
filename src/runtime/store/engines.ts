import type { AvailableEngine } from '../../ir/index.js';
import { type Orchestrator, startOrchestrator } from '../orchestrator/index.js';
import { preload } from '../preload/preload.js';
import type { Engine, EngineStart, StartEngine } from './engine.js';
import { storeOptions } from './store-options.js';

/** The engines of this version. */
const starts: Readonly<Record<AvailableEngine, StartEngine>> = { embedded: startEmbedded };

/** Starts a store by its engine, which is one that `up` has let through. @throws WorkflowError */
export function startEngine(start: EngineStart): Promise<Engine> {
  return starts[start.store.engine as AvailableEngine](start);
}

/** The store in this very process. */
async function startEmbedded(start: EngineStart): Promise<Engine> {
  const orchestrator = await startOrchestrator(await storeOptions(start));
  const { addresses, runId } = orchestrator;
  return {
    addresses,
    runId,
    restored: orchestrator.restored,
    ready: () => loadAndWarmUp(orchestrator, start),
    stats: () => orchestrator.stats(),
    stop: (checkpoint) => orchestrator.close(checkpoint),
    get isStuck() {
      return orchestrator.isStuck;
    },
  };
}

/** Loads the plan's models and scripts, and runs each once where that can be; a run that fails is worth a warning, since no client has asked. */
async function loadAndWarmUp(orchestrator: Orchestrator, { job, store, log }: EngineStart): Promise<void> {
  const keys = await preload(job.dir, store, orchestrator.addresses[0] ?? '');
  for (const { key, kind, outcome, why } of await orchestrator.warmUp(keys)) {
    const what = `${kind === 'model' ? 'ML model' : 'script'} '${key}'`;
    if (outcome === 'ran') log.write('info', `${what} is loaded and warmed up`);
    else if (outcome === 'failed') log.write('warn', `${what} is loaded, and its warm-up on zeros failed: ${why}`);
    else log.write('info', `${what} is loaded; the shapes of its inputs are not known, so it is not warmed up`);
  }
}
