import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { type EngineName, engines } from '../../ir/index.js';
import type { EnginePrograms } from '../../runtime/engine/find-engine.js';
import { RedisStore } from '../../runtime/engine/redis-store.js';
import { findPrograms } from '../../runtime/engine/redisai.js';
import { type Orchestrator, type OrchestratorOptions, startOrchestrator } from '../../runtime/orchestrator/index.js';
import type { LogLevel } from './log.js';
import type { OrchestratorFlags } from './settings.js';

/** A store by hand, of whichever engine. */
export interface StartedEngine {
  readonly orchestrator: Orchestrator;
  /** The server that it runs on; undefined for an embedded one. */
  readonly programs: EnginePrograms | undefined;
  /** Rejects when the store has died: there is none any more. */
  readonly died: Promise<never>;
}

/** Flags that only a store with an AI layer of this project has a use for, by the options that they set. */
const aiLayerOnly: Readonly<Record<string, (flags: OrchestratorFlags) => boolean>> = {
  '--busy-poll': ({ busyPoll }) => busyPoll !== undefined,
  '--devices': ({ devices }) => devices !== undefined,
  '--map-device': ({ mapDevice }) => mapDevice !== undefined,
  '--python': ({ python }) => python !== undefined,
  '--preload-backends': ({ preloadBackends }) => preloadBackends !== undefined,
};
const modelsOnly: Readonly<Record<string, (flags: OrchestratorFlags) => boolean>> = {
  '--threads-per-queue': ({ threadsPerQueue }) => threadsPerQueue !== undefined,
  '--inter-op-threads': ({ interOpThreads }) => interOpThreads !== undefined,
  '--intra-op-threads': ({ intraOpThreads }) => intraOpThreads !== undefined,
  '--execution-timeout': ({ executionTimeout }) => executionTimeout !== undefined,
};

/** Flags that have no effect on a store of this engine are mistakes. @throws WorkflowError */
export function checkFlags(flags: OrchestratorFlags): void {
  const { engine } = flags;
  const refused = {
    ...(engines[engine].hasAiLayer ? {} : aiLayerOnly),
    ...(engines[engine].runsModels ? {} : modelsOnly),
    ...(engine === 'redisai' ? {} : { '--redisai': ({ redisai }: OrchestratorFlags) => redisai !== undefined }),
  };
  const given = Object.entries(refused).find(([, isGiven]) => isGiven(flags));
  if (given === undefined) return;
  throw new WorkflowError({
    code: 'CLI1001',
    message: `${given[0]} has no effect on a store of the engine '${engine}'`,
    hint: given[0] === '--redisai' ? 'say --engine redisai, too' : 'leave it out, or choose another engine',
  });
}

/** Starts a store; resolves when clients may come. @throws WorkflowError */
export async function startEngineByHand(
  flags: OrchestratorFlags,
  options: OrchestratorOptions,
): Promise<StartedEngine> {
  const { engine } = flags;
  if (engine === 'embedded') {
    return { orchestrator: await startOrchestrator(options), programs: undefined, died: new Promise(() => undefined) };
  }
  const programs = await programsOf(engine, flags);
  const { saveFile } = options;
  if (options.checkpointFile === undefined && saveFile !== undefined && existsSync(saveFile))
    throw wouldBeRead(saveFile);
  let onDeath: (reason: string) => void = () => undefined;
  const died = new Promise<never>((_, reject) => {
    onDeath = (message) => reject(new WorkflowError({ code: 'RUN1005', message: `the store has died: ${message}` }));
  });
  // Nobody may ask any more.
  died.catch(() => undefined);
  const orchestrator = await RedisStore.start({
    programs,
    store: { ...options, log: (level, message) => options.log?.(levelOf(level, message), message) },
    hasWorker: engines[engine].hasAiLayer,
    onDeath: (reason) => onDeath(reason),
  });
  return { orchestrator, programs, died };
}

/** A server says much, and marks much of it as a warning: what is none is for those who want to know everything. */
function levelOf(level: LogLevel, message: string): LogLevel {
  if (!message.startsWith('server: ')) return level;
  return /is refused: |\berror\b|failed|can't|cannot|crash|out of memory/i.test(message) ? level : 'debug';
}

/** A server reads at its start the file that it saves to. */
function wouldBeRead(file: string): WorkflowError {
  return new WorkflowError({
    code: 'CLI1001',
    message: `${file} is there, and the server would bring back what is in it, and save over it`,
    hint: `to have that, say --checkpoint 300 ${basename(file)}; or move it away`,
  });
}

function programsOf(engine: Exclude<EngineName, 'embedded'>, { redisai }: OrchestratorFlags): Promise<EnginePrograms> {
  const site = redisai === undefined ? undefined : { module: resolve(redisai) };
  return findPrograms({ engine, mlModels: [], scripts: [] }, site, { env: process.env });
}
