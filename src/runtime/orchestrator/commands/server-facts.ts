import type { EvictionPolicy } from '../../../ir/eviction-policies.js';
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

/** Writes checkpoints. */
export interface Saving {
  /** Rejects if none can be written; the one under way is waited for. @throws CommandError, Error */
  save(): Promise<void>;
  readonly inProgress: boolean;
  /** Milliseconds since 1970: of the last one, or of the start. */
  readonly lastMs: number;
  readonly lastFailed: boolean;
  /** Changes since the last one, or since the start. */
  readonly unsavedChanges: number;
  /** Where SAVE writes; undefined if that is nowhere. */
  readonly file: string | undefined;
  /** True if that file was asked for when the server was started: SHUTDOWN saves, too. */
  readonly isAsked: boolean;
}

/** What commands know of the server around them. */
export interface ServerFacts {
  readonly version: string;
  readonly startedAtMs: number;
  readonly runId: string;
  readonly settings: ServerSettings;
  readonly limits: { readonly maxClients: number; readonly maxBulkBytes: number };
  /** How long a run may take. */
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
