import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { WorkflowError } from '../../diagnostics/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { makeJobFolder } from '../job/job-folder.js';
import { controlSocket, supervisorLog } from '../job/paths.js';
import { ControlClient } from './control-client.js';
import { readyDescriptor } from './run-supervisor.js';
import { Tail } from './tail.js';

/** Connects to the job's supervisor, which it starts if there is none. `runtime` is the command line that runs this bundle. */
export async function startSupervisor(job: JobEnvironment, runtime: readonly string[]): Promise<ControlClient> {
  const socket = controlSocket(makeJobFolder(job));
  const running = await ControlClient.connect(socket);
  if (running !== undefined) return running;
  rmSync(socket, { force: true });
  const problem = await spawnSupervisor(job, runtime);
  const client = await ControlClient.connect(socket);
  if (client !== undefined) return client;
  throw new WorkflowError({
    code: 'RUN1004',
    message: ['the supervisor of this job did not start', ...(problem ?? [])].join('\n  '),
    hint: `its log is ${supervisorLog(job)}`,
  });
}

/** Starts the supervisor in a session of its own; resolves when it listens, or with the end of its log when it has ended. */
async function spawnSupervisor(job: JobEnvironment, runtime: readonly string[]): Promise<string[] | undefined> {
  const path = supervisorLog(job);
  mkdirSync(dirname(path), { recursive: true });
  const log = openSync(path, 'a');
  const [program = process.execPath, ...args] = runtime;
  const child = spawn(program, [...args, 'supervise'], {
    cwd: job.dir,
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
  });
  closeSync(log);
  const ready = child.stdio[readyDescriptor] as Readable;
  const listening = await new Promise<boolean>((resolve) => {
    ready.once('data', () => resolve(true));
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(false));
  });
  ready.destroy();
  child.unref();
  if (listening) return undefined;
  const tail = new Tail();
  tail.add(readFileSync(path, 'utf8'));
  return tail.lines(5);
}
