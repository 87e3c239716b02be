import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';

/** File name of the server's module. */
export const moduleName = 'simwright.so';

/** Names of servers, the preferred first: Valkey sends large tensors without copying them. */
const serverNames = ['valkey-server', 'redis-server'] as const;

/** Oldest versions of servers that a store runs on: they lend the module their event loop, and protect their settings. */
const oldest = { redis: [7, 0], valkey: [7, 2] } as const;

/** A server program. */
export interface ServerProgram {
  readonly path: string;
  readonly kind: keyof typeof oldest;
  readonly version: string;
}

/** RedisAI as it is loaded. */
export interface RedisAiModule {
  readonly module: string;
  /** Folder of its backends. */
  readonly backends: string;
}

/** A server and the module that makes a store of it. */
export interface EnginePrograms {
  readonly server: ServerProgram;
  readonly module: string;
  /** RedisAI, which then has the commands, and our module looks at clients only. */
  readonly redisai?: RedisAiModule;
}

/** Places to look in, as far as they are known. */
export interface EnginePlaces {
  readonly runtimePath?: string | undefined;
  /** Folder of the compiled workflow. */
  readonly dir?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Folders that `simwright engine install` has filled, or may have, in the order in which they are looked through. */
export function engineFolders({ runtimePath, dir, env }: EnginePlaces): string[] {
  const bases = [env['SIMWRIGHT_HOME'], runtimePath, dir === undefined ? undefined : join(dir, 'runtime')];
  const folders = bases.flatMap((base) => (base === undefined || base === '' ? [] : [join(base, 'engine')]));
  return [...folders, userFolder(env)];
}

/** Folder of `simwright engine install` without a path. */
export function userFolder(env: NodeJS.ProcessEnv): string {
  const data = env['XDG_DATA_HOME'] || join(env['HOME'] || homedir(), '.local/share');
  return join(data, 'simwright/engine');
}

/** The module that is used here; undefined if it has not been built. */
export function findModule(places: EnginePlaces): string | undefined {
  return engineFolders(places)
    .map((folder) => join(folder, moduleName))
    .find((path) => existsSync(path));
}

/** Servers beside modules and on the PATH, those of the preferred kind first. */
export function serverPaths(places: EnginePlaces, preferred: ServerProgram['kind'] = 'valkey'): string[] {
  const given = places.env['SIMWRIGHT_ENGINE_SERVER'];
  if (given !== undefined && given !== '') return [given];
  const folders = [
    ...engineFolders(places),
    ...(places.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
  ];
  const names = preferred === 'valkey' ? serverNames : [...serverNames].reverse();
  return names.flatMap((name) => folders.map((folder) => join(folder, name)).filter(isExecutable));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Kind and version of a server, as it tells them itself; undefined if it is no such server. */
export function askServer(path: string): Promise<ServerProgram | undefined> {
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: 5000 }, (_error, said) => {
      const version = /\bv=(\d+\.\d+\.\d+)/.exec(said)?.[1];
      const kind = /^valkey/i.test(said) ? 'valkey' : 'redis';
      resolve(version === undefined ? undefined : { path, kind, version });
    });
  });
}

/** True if a store runs on a server of that version. */
export function isNewEnough({ kind, version }: ServerProgram): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [least, leastMinor] = oldest[kind];
  return major > least || (major === least && minor >= leastMinor);
}

/** The server and the module to use here. @throws WorkflowError RUN1040 with the places where they are not, or the versions that are too old */
export async function findEngine(places: EnginePlaces): Promise<EnginePrograms> {
  const module = findModule(places);
  if (module === undefined) throw moduleMissing(places);
  return { server: await findServer(places), module };
}

/** Says where the module was looked for. */
export function moduleMissing(places: EnginePlaces): WorkflowError {
  return new WorkflowError({
    code: 'RUN1040',
    message: [`the module ${moduleName} is in none of these folders:`, ...engineFolders(places)].join('\n  - '),
    hint: "build it once with 'simwright engine install', which needs a C compiler and takes seconds",
  });
}

/** The first server that is new enough. @throws WorkflowError RUN1040 */
export async function findServer(places: EnginePlaces, preferred?: ServerProgram['kind']): Promise<ServerProgram> {
  const old: string[] = [];
  for (const path of serverPaths(places, preferred)) {
    const server = await askServer(path);
    if (server === undefined) continue;
    if (isNewEnough(server)) return server;
    old.push(`${path} is ${server.kind === 'redis' ? 'Redis' : 'Valkey'} ${server.version}`);
  }
  throw new WorkflowError({
    code: 'RUN1040',
    message: old.length === 0 ? noServer(places) : ['the only servers here are too old:', ...old].join('\n  - '),
    hint: 'Redis 7.0 or later, or Valkey 7.2 or later: a package of the system, of conda, or a module of the site; SIMWRIGHT_ENGINE_SERVER names one elsewhere',
  });
}

function noServer(places: EnginePlaces): string {
  const given = places.env['SIMWRIGHT_ENGINE_SERVER'];
  if (given !== undefined && given !== '') return `${given} is no server that can be run`;
  return `neither ${serverNames.join(' nor ')} is on the PATH or in one of these folders: ${engineFolders(places).join(', ')}`;
}
