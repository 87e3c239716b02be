import type { EvictionPolicy } from '../../../ir/eviction-policies.js';
import type { Saving } from '../checkpoint/saving.js';
import type { MemoryBudget } from '../memory/memory-budget.js';
import type { ClientFacts } from './client-facts.js';
import type { Monitors } from './monitors.js';

/** Settings that clients may read and change. */
export interface ServerSettings {
  modelChunkBytes: number;
  backendsPath: string;
  /** 0 for no limit. */
  maxMemoryBytes: number;
  evictionPolicy: EvictionPolicy;
  /** Others that `CONFIG SET` takes; nothing here depends on them. */
  readonly parameters: Map<string, string>;
}

/** The server around the commands, as far as they ask for it. */
export interface ServerFacts {
  readonly version: string;
  readonly startedAtMs: number;
  readonly runId: string;
  readonly settings: ServerSettings;
  readonly limits: { readonly maxClients: number; readonly maxBulkBytes: number };
  /** Longest time for a run. */
  readonly executionTimeoutMs: number;
  readonly threads: { readonly perQueue: number; readonly interOp: number; readonly intraOp: number };
  /** Undefined where it is not installed. */
  readonly onnxRuntimeVersion: string | undefined;
  readonly saving: Saving;
  readonly monitors: Monitors;
  /** Memory for what is on its way into the store. */
  readonly memory: MemoryBudget;
  /** First TCP port, 0 if there is none. */
  port(): number;
  clients(): readonly ClientFacts[];
  /** Ends a client's connection. */
  kill(client: ClientFacts): void;
  /** Shows the client every command from now on. */
  monitor(client: ClientFacts): void;
  /** Ends the server, where whoever started it allows that. */
  readonly shutDown: (() => void) | undefined;
  requests(): number;
  connections(): number;
  /** Connections of strangers, which were refused. */
  refused(): number;
}
