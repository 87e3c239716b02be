import type { EnginePlaces, EnginePrograms } from '../engine/find-engine.js';
import type { EngineStart } from './engine.js';

/** The server of a store, its module, and RedisAI if it is to run that; the store's log names them. @throws WorkflowError RUN1040 */
export async function findPrograms({ plan, store, job, log }: EngineStart): Promise<EnginePrograms> {
  const places = { runtimePath: plan.runtimePath, dir: job.dir, env: process.env };
  const programs = store.engine === 'redisai' ? await findSites(places, { plan, store }) : await findAny(places);
  const { server, redisai } = programs;
  log.write('info', `runs on ${server.path}, version ${server.version}${redisai ? `, with ${redisai.module}` : ''}`);
  if (redisai !== undefined && process.env['SIMWRIGHT_MAP_DEVICE']) {
    log.write('warn', 'SIMWRIGHT_MAP_DEVICE has no effect here: RedisAI knows no devices that stand in for others');
  }
  return programs;
}

// Reading code takes most of a start: each start reads that of its own engine.
async function findAny(places: EnginePlaces): Promise<EnginePrograms> {
  const { findEngine } = await import('../engine/find-engine.js');
  return findEngine(places);
}

async function findSites(
  places: EnginePlaces,
  { plan, store }: Pick<EngineStart, 'plan' | 'store'>,
): Promise<EnginePrograms> {
  const { findRedisAi } = await import('../engine/redisai.js');
  return findRedisAi(plan.redisai, store, places);
}
