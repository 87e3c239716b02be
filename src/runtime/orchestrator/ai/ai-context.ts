import type { Inference } from '../inference/index.js';
import type { MemoryBudget } from '../memory/memory-budget.js';
import type { AbandonedWork, RunningWork } from './abandoned-work.js';
import type { TensorStore } from './tensor-store.js';

/** State that requests on tensors, models and scripts work with. */
export interface AiContext {
  readonly tensors: TensorStore;
  readonly inference: Inference;
  readonly server: AiServer;
  readonly client: WaitingClient;
  /** Work of clients that have gone. */
  readonly abandoned: AbandonedWork;
}

/** Limits of the server around the AI layer. */
export interface AiServer {
  /** Memory for what is on its way into the store. */
  readonly memory: MemoryBudget;
  readonly limits: { readonly maxBulkBytes: number };
}

/** The client that has sent a request. */
export interface WaitingClient {
  /** Work that it waits for, if that is worth remembering should it disconnect. */
  work: RunningWork | undefined;
}
