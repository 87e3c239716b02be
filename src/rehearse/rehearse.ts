import { spawn } from 'node:child_process';
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkflowError } from '../diagnostics/index.js';
import { Plan } from '../ir/index.js';
import { keepMemory, marker } from './afterwards.js';
import type { ServerConfig, ServerReport } from './config.js';
import { assertFaults, type Fault } from './faults.js';
import { assertPlacesApart } from './hosts/alone.js';
import { canMakeHosts, outerWords } from './hosts/namespaces.js';
import { onLines } from './protocol.js';
import type { RehearsalRecord } from './record.js';
import { schedulers } from './schedulers/index.js';

/** Folder of the built programs: that of this file, once it is built itself. */
const programs = new URL(import.meta.url.endsWith('.ts') ? '../../dist/rehearse/' : '.', import.meta.url);

/** Settings of a rehearsal. */
export interface RehearseOptions {
  /** The compiled folder. */
  readonly dir: string;
  /** Folder that the copy goes to; what a rehearsal has left there before goes first. */
  readonly into: string;
  readonly nodes?: number;
  readonly faults?: readonly Fault[];
  /** Factor by which walltimes shrink. @default 1 */
  readonly speed?: number;
  /** Seconds that each process of an application takes, where applications are not run. */
  readonly stubSeconds?: number;
  readonly submitWords?: readonly string[];
  /** Environment of submit.sh. @default that of this process */
  readonly env?: NodeJS.ProcessEnv;
  /** Hosts without namespaces also where the machine gives some. */
  readonly plain?: boolean;
  /** Called with each thing that happens, and the seconds since the start. */
  progress?(text: string, at: number): void;
  /** Asks for an end in order; the second time at once. */
  readonly signal?: (stop: () => void) => void;
}

/**
 * Runs the scripts of a compiled folder against stand-ins, in a copy of it.
 *
 * @throws WorkflowError RUN1001 where there is no compiled folder, CLI1011 where its scheduler has no stand-in or its stores need hosts of their own, OUT1001 where the place of the
 * copy is taken.
 */
export async function rehearse(options: RehearseOptions): Promise<RehearsalRecord> {
  const { dir, into } = options;
  const plan = Plan.parse(JSON.parse(readFileSync(join(dir, 'plan.json'), 'utf8')));
  if (schedulers[plan.target] === undefined) {
    throw new WorkflowError({
      code: 'CLI1011',
      message: `${dir} is compiled for ${plan.target}, and a rehearsal has no stand-in for that`,
      hint: `it has stand-ins for ${Object.keys(schedulers).join(', ')}; simwright run runs a workflow on this machine`,
    });
  }
  assertFaults(options.faults ?? [], plan);
  const isolation = options.plain !== true && canMakeHosts() ? 'namespaces' : 'plain';
  if (isolation === 'plain') assertPlacesApart(plan, dir);
  copyFolder(dir, into);
  const state = mkdtempSync(join(tmpdir(), 'simwright-rehearsal-'));
  try {
    return await runServer(options, state, isolation);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** Copies a compiled folder without what its runs have left. */
function copyFolder(dir: string, into: string): void {
  if (existsSync(into) && readdirSync(into).length > 0 && !existsSync(join(into, marker))) {
    throw new WorkflowError({
      code: 'OUT1001',
      message: `${into} is not empty, and no rehearsal has made it`,
      hint: 'name another folder with --keep, or remove it',
    });
  }
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true, mode: 0o700 });
  writeFileSync(join(into, marker), '');
  copyTree(dir, into, (path) => path !== 'run' && path !== 'logs' && join(dir, path) !== into && path !== 'rehearsal');
  mkdirSync(join(into, 'logs'), { mode: 0o700 });
}

function copyTree(from: string, to: string, takes: (name: string) => boolean): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!takes(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      mkdirSync(target);
      // ONNX Runtime is large, and nobody writes there.
      if (entry.name === 'node_modules') {
        rmSync(target, { recursive: true });
        symlinkSync(source, target);
      } else copyTree(source, target, () => true);
    } else if (entry.isFile()) copyFileSync(source, target, constants.COPYFILE_FICLONE);
  }
}

async function runServer(
  options: RehearseOptions,
  state: string,
  isolation: ServerConfig['isolation'],
): Promise<RehearsalRecord> {
  const { username, uid } = userInfo();
  const config: ServerConfig = {
    ...{ dir: options.into, state, isolation, user: { name: username, uid } },
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    speed: options.speed ?? 1,
    faults: options.faults ?? [],
    ...(options.stubSeconds === undefined ? {} : { stubSeconds: options.stubSeconds }),
    submitWords: options.submitWords ?? [],
    shared: [options.dir, options.into, state, fileURLToPath(new URL('../', programs))],
    standIn: fileURLToPath(new URL('standin.js', programs)),
  };
  const path = join(state, 'config.json');
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  const server = [process.execPath, fileURLToPath(new URL('server.js', programs)), path];
  // The first process of the namespaces takes in orphans; when it has gone, so have all others.
  const first = [
    'bash',
    '-c',
    '"$@" <&0 & child=$!; while kill -0 "$child" 2>/dev/null; do wait "$child" && exit; done; exit 1',
    'rehearsal',
  ];
  const [program = '', ...words] = isolation === 'namespaces' ? [...outerWords, ...first, ...server] : server;
  // In a session of its own: Ctrl-C is for the command, which ends it in order.
  const child = spawn(program, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: options.env ?? process.env,
  });
  child.stdin.on('error', () => undefined);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  options.signal?.(() => child.stdin.write('stop\n'));
  let record: RehearsalRecord | undefined;
  onLines(child.stdout, (line) => {
    const report = line as ServerReport;
    if ('record' in report) {
      record = report.record;
      keepMemory(options.into, report.memory);
    } else options.progress?.(report.progress, report.at);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (record === undefined) throw new Error(`the rehearsal's server ended with ${code}:\n${said}`);
  return record;
}
