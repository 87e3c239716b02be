interface EngineFacts {
  /** True if a store of it can have several shards. */
  readonly hasShards: boolean;
  /** True if a store of it runs ML models and scripts. */
  readonly runsModels: boolean;
  /** True if they run in our AI layer, which needs ONNX Runtime, or a Python with the framework. */
  readonly hasAiLayer: boolean;
  /** True if it is a server of its own, which has to be there. */
  readonly needsServer: boolean;
}

/**
 * How a store is run: one Node process; stock Redis or Valkey with a module of ours, and the AI layer beside it; the same without the AI
 * layer; or the site's Redis with RedisAI.
 */
export const engines = {
  embedded: { hasShards: false, runsModels: true, hasAiLayer: true, needsServer: false },
  redis: { hasShards: true, runsModels: true, hasAiLayer: true, needsServer: true },
  data: { hasShards: true, runsModels: false, hasAiLayer: false, needsServer: true },
  redisai: { hasShards: true, runsModels: true, hasAiLayer: false, needsServer: true },
} as const satisfies Readonly<Record<string, EngineFacts>>;

type Engines = typeof engines;

/** Names of all engines. */
export const engineNames = Object.keys(engines) as [keyof Engines, ...(keyof Engines)[]];
