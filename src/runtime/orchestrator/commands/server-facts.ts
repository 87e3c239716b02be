/** Settings that clients may read and change. */
export interface ServerSettings {
  modelChunkBytes: number;
  /** Those that `CONFIG SET` takes; nothing here depends on them. */
  readonly parameters: Map<string, string>;
}

/** What commands know of the server around them. */
export interface ServerFacts {
  readonly version: string;
  readonly startedAtMs: number;
  readonly runId: string;
  readonly settings: ServerSettings;
  readonly limits: { readonly maxMemoryBytes: number; readonly maxClients: number; readonly maxBulkBytes: number };
  readonly threads: { readonly perQueue: number; readonly interOp: number; readonly intraOp: number };
  /** First TCP port, 0 if there is none. */
  port(): number;
  clients(): number;
  requests(): number;
  connections(): number;
}
