import type { EnginePrograms } from '../engine/find-engine.js';
import { findPrograms } from '../engine/redisai.js';
import type { EngineStart } from './engine.js';

/** The server of a store, its module, and RedisAI if it is to run that; the store's log names them. @throws WorkflowError RUN1040 */
export async function findStorePrograms({ plan, store, job, log }: EngineStart): Promise<EnginePrograms> {
  const places = { runtimePath: plan.runtimePath, dir: job.dir, env: process.env };
  const programs = await findPrograms(store, plan.redisai, places);
  const { server, redisai } = programs;
  log.write('info', `runs on ${server.path}, version ${server.version}${redisai ? `, with ${redisai.module}` : ''}`);
  if (redisai !== undefined && process.env['SIMWRIGHT_MAP_DEVICE']) {
    log.write('warn', 'SIMWRIGHT_MAP_DEVICE has no effect here: RedisAI knows no devices that stand in for others');
  }
  return programs;
}
