interface EngineFacts {
  /** True if this version's runtime runs it. */
  readonly isAvailable: boolean;
  /** True if a store of it can have several shards. */
  readonly hasShards: boolean;
}

/** How a store is run: one Node process, stock Redis with a module of ours, or the site's Redis with RedisAI. */
export const engines = {
  embedded: { isAvailable: true, hasShards: false },
  redis: { isAvailable: false, hasShards: true },
  redisai: { isAvailable: false, hasShards: true },
} as const satisfies Readonly<Record<string, EngineFacts>>;

type Engines = typeof engines;

/** Engines that this version's runtime runs. */
export type AvailableEngine = {
  [Name in keyof Engines]: Engines[Name]['isAvailable'] extends true ? Name : never;
}[keyof Engines];

/** Names of all engines. */
export const engineNames = Object.keys(engines) as [keyof Engines, ...(keyof Engines)[]];
