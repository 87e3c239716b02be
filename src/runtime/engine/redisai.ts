import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { RedisAi, Store } from '../../ir/index.js';
import type { BackendName } from '../../ml/backends.js';
import {
  type EnginePlaces,
  type EnginePrograms,
  findEngine,
  findModule,
  findServer,
  moduleMissing,
  type RedisAiModule,
} from './find-engine.js';
import type { Info } from './server-info.js';

/** Libraries of RedisAI's backends, in the folder of all. */
const libraries: Readonly<Record<BackendName, string>> = {
  ONNX: 'redisai_onnxruntime/redisai_onnxruntime.so',
  TORCH: 'redisai_torch/redisai_torch.so',
  TF: 'redisai_tensorflow/redisai_tensorflow.so',
  TFLITE: 'redisai_tflite/redisai_tflite.so',
};

const commandsThatRun = ['modelexecute', 'modelrun', 'scriptexecute', 'scriptrun', 'dagexecute', 'dagrun'];

/** RedisAI of a site, or, without it, what SmartSim's variables name. Undefined if neither is given. */
export function redisAiOf(
  site: RedisAi | undefined,
  env: NodeJS.ProcessEnv,
): (RedisAiModule & { readonly server?: string }) | undefined {
  const module = site?.module ?? (env['RAI_PATH'] || undefined);
  if (module === undefined) return undefined;
  const server = site === undefined ? env['REDIS_PATH'] || undefined : site.server;
  const backends = site?.backends ?? join(dirname(module), 'backends');
  return { module, backends, ...(server !== undefined && { server }) };
}

/** The programs of a store on a server, by its engine; `site` is the site's RedisAI. @throws WorkflowError RUN1040 with what is missing */
export function findPrograms(
  store: Pick<Store, 'engine' | 'mlModels' | 'scripts'>,
  site: RedisAi | undefined,
  places: EnginePlaces,
): Promise<EnginePrograms> {
  return store.engine === 'redisai' ? findRedisAi(site, store, places) : findEngine(places);
}

/**
 * The server, RedisAI and the module that looks at its clients, for a store with these models and scripts.
 * @throws WorkflowError RUN1040 with what is missing
 */
export async function findRedisAi(
  site: RedisAi | undefined,
  { mlModels, scripts }: Pick<Store, 'mlModels' | 'scripts'>,
  places: EnginePlaces,
): Promise<EnginePrograms> {
  const redisai = redisAiOf(site, places.env);
  if (redisai === undefined) {
    throw missing(
      'nothing says where RedisAI is',
      "name it in the site: redisai: { module: '/sw/redisai/redisai.so' }, or set RAI_PATH",
    );
  }
  const { module, backends } = redisai;
  if (!existsSync(module))
    throw missing(`RedisAI is not there: there is no ${module}`, 'name redisai.so as compute nodes see it');
  const needed = new Set([
    ...mlModels.map(({ backend }) => backend),
    ...(scripts.length > 0 ? ['TORCH' as const] : []),
  ]);
  const absent = [...needed]
    .map((name) => ({ name, path: join(backends, libraries[name]) }))
    .filter(({ path }) => !existsSync(path));
  if (absent.length > 0) {
    const rows = absent.map(({ name, path }) => `${name}: there is no ${path}`);
    throw missing(
      ['RedisAI lacks backends that models or scripts of this store need:', ...rows].join('\n  - '),
      "backends lie beside redisai.so, unless the site's redisai.backends names their folder; they are built with RedisAI",
    );
  }
  const guard = findModule(places);
  if (guard === undefined) throw moduleMissing(places);
  const server = await findServer(
    redisai.server === undefined
      ? places
      : { ...places, env: { ...places.env, SIMWRIGHT_ENGINE_SERVER: redisai.server } },
    'redis',
  );
  return { server, module: guard, redisai: { module, backends } };
}

/** Runs of models and scripts that a server has counted, those that failed left out. */
export function runsOf(info: Info): number {
  return commandsThatRun
    .flatMap((name) => [name, `${name}_ro`])
    .map((name) => info.get(`cmdstat_ai.${name}`) ?? '')
    .reduce((sum, text) => sum + numberOf(text, 'calls') - numberOf(text, 'failed_calls'), 0);
}

function numberOf(text: string, name: string): number {
  return Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(text)?.[1] ?? 0);
}

function missing(message: string, hint: string): WorkflowError {
  return new WorkflowError({ code: 'RUN1040', message, hint });
}
