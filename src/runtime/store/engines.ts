import type { AvailableEngine } from '../../ir/index.js';
import { startOrchestrator } from '../orchestrator/index.js';
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
    ready: () => preload(start.job.dir, start.store, addresses[0] ?? ''),
    stats: () => orchestrator.stats(),
    stop: (checkpoint) => orchestrator.close(checkpoint),
    get isStuck() {
      return orchestrator.isStuck;
    },
  };
}
