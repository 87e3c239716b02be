interface EngineFacts {
  /** True if this version's runtime runs it. */
  readonly isAvailable: boolean;
  /** True if a store of it can have several shards. */
  readonly hasShards: boolean;
  /** True if a store of it runs ML models and scripts. */
  readonly runsModels: boolean;
  /** True if it is a server of its own, which has to be there. */
  readonly needsServer: boolean;
}

/**
 * How a store is run: one Node process; stock Redis or Valkey with a module of ours, and the AI layer beside it; the same without the AI
 * layer; or the site's Redis with RedisAI.
 */
export const engines = {
  embedded: { isAvailable: true, hasShards: false, runsModels: true, needsServer: false },
  redis: { isAvailable: true, hasShards: true, runsModels: true, needsServer: true },
  data: { isAvailable: true, hasShards: true, runsModels: false, needsServer: true },
  redisai: { isAvailable: false, hasShards: false, runsModels: true, needsServer: true },
} as const satisfies Readonly<Record<string, EngineFacts>>;

type Engines = typeof engines;

/** Engines that this version's runtime runs. */
export type AvailableEngine = {
  [Name in keyof Engines]: Engines[Name]['isAvailable'] extends true ? Name : never;
}[keyof Engines];

/** Names of all engines. */
export const engineNames = Object.keys(engines) as [keyof Engines, ...(keyof Engines)[]];
