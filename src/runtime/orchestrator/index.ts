import type { Orchestrator, OrchestratorOptions } from './options.js';
import { OrchestratorServer } from './server/server.js';

export { type EvictionPolicy, evictionPolicies } from '../../ir/eviction-policies.js';
export type { WarmUp } from './ai/warm-up.js';
export {
  type CheckpointRecord,
  fingerprintOf,
  type RecordedCheckpoint,
  type SavedStore,
} from './checkpoint/record.js';
export { devicesHere, gpusHere, onnxRuntimeVersion } from './inference/index.js';
export { runInferenceWorker } from './inference/worker.js';
export type {
  Orchestrator,
  OrchestratorOptions,
  OrchestratorStats,
  ShardStats,
  TcpListen,
  UnixListen,
} from './options.js';

/**
 * Starts a tensor store that runs ML models, in this process.
 * @throws WorkflowError if it cannot listen where it is told to
 */
export async function startOrchestrator(options: OrchestratorOptions): Promise<Orchestrator> {
  const server = new OrchestratorServer(options);
  await server.start();
  return server;
}
