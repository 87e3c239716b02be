import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, type TestContext } from 'vitest';
import { type CommandEnd, meanwhile, root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const folder = join(root, 'test/clusters/mpi');

/** Checkouts that lie side by side have machines each, and so have test files that run at the same time. */
const slot = createHash('sha256').update(root).digest()[0] ?? 0;
const place = { SIMWRIGHT_MPI_DIR: `/var/tmp/simwright-mpi-test${slot}.${process.env['VITEST_POOL_ID'] ?? 1}` };

/** Names of the nodes. */
export const nodes = ['node1', 'node2', 'node3'] as const;

/** A launcher, and the scheduler whose scripts call it. */
export interface Mpi {
  readonly name: string;
  readonly launcher: 'mpirun' | 'mpiexec' | 'aprun' | 'jsrun';
  readonly program: string;
  /** How it is called: hydra looks for its own programs beside itself, and Open MPI called by its path puts that into the PATH. */
  readonly calledAs: string;
  readonly preamble: readonly string[];
  readonly target: 'pbs' | 'lsf' | 'cobalt';
  /** Machine that scripts run on. */
  readonly scriptsOn: 'head' | 'node1';
  /** Variables that the scheduler sets. */
  variables(job: MpiJob): Readonly<Record<string, string>>;
}

const pbs = (job: MpiJob) => ({
  PBS_O_WORKDIR: job.workspace.path('out'),
  PBS_NODEFILE: job.workspace.path('nodefile'),
  PBS_JOBID: job.id,
  NCPUS: '4',
});

/** Both MPIs of Debian, side by side. */
export const mpis: readonly Mpi[] = [
  {
    name: 'Open MPI',
    launcher: 'mpirun',
    program: '/usr/bin/mpirun.openmpi',
    calledAs: 'mpirun',
    preamble: [
      'export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1',
      `export OMPI_MCA_plm_rsh_agent=${folder}/agent OMPI_MCA_btl_tcp_if_include=eth0`,
    ],
    target: 'pbs',
    scriptsOn: 'node1',
    variables: pbs,
  },
  {
    name: 'MPICH',
    launcher: 'mpiexec',
    program: '/usr/bin/mpiexec.hydra',
    calledAs: '/usr/bin/mpiexec.hydra',
    // The machines have one kernel, so that MPICH would look for the others' memory, and their loopback, in its own.
    preamble: [`export HYDRA_LAUNCHER=rsh HYDRA_LAUNCHER_EXEC=${folder}/agent UCX_TLS=tcp,self UCX_NET_DEVICES=eth0`],
    target: 'pbs',
    scriptsOn: 'node1',
    variables: pbs,
  },
];

const standIn = (job: MpiJob) => ({
  STAND_IN_NODES: nodes.join(' '),
  STAND_IN_CPUS: '4',
  STAND_IN_BOOKS: job.workspace.cwd,
});

/** Stand-ins for launchers whose scripts run on a node apart: the head is a launch or service node. */
export const apart: readonly Mpi[] = [
  {
    name: 'jsrun',
    launcher: 'jsrun',
    program: `/usr/bin/python3 ${folder}/apart jsrun`,
    calledAs: 'python3',
    preamble: [],
    target: 'lsf',
    scriptsOn: 'head',
    variables: (job) => ({
      ...standIn(job),
      LS_SUBCWD: job.workspace.path('out'),
      LSB_JOBID: job.id,
      LSB_MCPU_HOSTS: 'head 1 node1 4 node2 4 node3 4',
    }),
  },
  {
    name: 'aprun',
    launcher: 'aprun',
    program: `/usr/bin/python3 ${folder}/apart aprun`,
    calledAs: 'python3',
    preamble: [],
    target: 'cobalt',
    scriptsOn: 'head',
    // Node ids, as on a Cray XC: the nodes are nid00011 to nid00013.
    variables: (job) => ({ ...standIn(job), COBALT_JOBID: job.id, COBALT_PARTNAME: '11-13' }),
  },
];

/** Why there can be no machines with both MPIs here; empty where there can. */
export function whyNoMpi(): string {
  if (process.getuid?.() !== 0) return 'not root';
  const has = (command: string) => succeeds('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v "$1"', 'sh', command]);
  const missing = ['ip', 'python3', ...mpis.map(({ program }) => program)].filter((name) => !has(name));
  if (missing.length > 0) return `no ${missing.join(', ')}`;
  const namespaces = ['--uts', '--ipc', '--pid', '--net', '--mount', '--fork', '--mount-proc'];
  return succeeds('unshare', [...namespaces, 'true']) ? '' : 'namespaces are not permitted here';
}

function succeeds(command: string, words: readonly string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The machines for all tests of a file, up before the first and down after the last. */
export function useMachines(): void {
  beforeAll(async () => {
    await cluster('up', String(nodes.length));
  });
  afterAll(() => cluster('down'));
}

/** Runs a command of test/clusters/mpi/cluster. */
export async function cluster(...words: readonly string[]): Promise<CommandEnd> {
  const options = { env: place, stdin: 'ignore', cwd: '/' } as const;
  const { stdout, stderr, exitCode } = await execa(join(folder, 'cluster'), words, options);
  return { stdout, stderr, exitCode };
}

/** Words and environment of a command on a machine. */
const on = (node: string, ...words: readonly string[]) =>
  [join(folder, 'cluster'), ['on', node, '--', ...words]] as const;

let lastId = 0;

/** A compiled workflow whose scripts run on the first machine, as PBS starts them. */
export class MpiJob {
  readonly workspace: Workspace;
  readonly #mpi: Mpi;
  readonly id = `${++lastId}.${process.pid}`;

  /** PATH of the script. */
  get path(): string {
    return `${this.workspace.path('bin')}:/usr/bin:/bin`;
  }

  private constructor(workspace: Workspace, mpi: Mpi) {
    this.workspace = workspace;
    this.#mpi = mpi;
  }

  static async compile(
    context: TestContext,
    mpi: Mpi,
    chain: string,
    files: Readonly<Record<string, string>>,
    site: object = {},
  ): Promise<MpiJob> {
    // All machines see it, which have a /tmp each.
    const workspace = new Workspace('/var/tmp', context);
    for (const [name, text] of Object.entries(files)) workspace.write(name, text);
    const { launcher, preamble, target } = mpi;
    workspace.write('site.json', JSON.stringify({ name: 'machines', target, launcher, preamble, ...site }));
    workspace.workflow(chain);
    const end = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'site.json', '--out', 'out');
    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    // The launcher under the name that the site has for it, whichever of the two Debian prefers.
    workspace.write(`bin/${launcher}`, `#!/bin/bash\nexec -a ${mpi.calledAs} ${mpi.program} "$@"\n`, 0o755);
    symlinkSync(process.execPath, workspace.path('bin/node'));
    workspace.write('nodefile', nodes.flatMap((node) => [node, node]).join('\n'));
    return new MpiJob(workspace, mpi);
  }

  /** Starts the script of a job: byte by byte the one that was compiled, with the variables that its scheduler sets. */
  start(name: string, env: Readonly<Record<string, string>> = {}) {
    const variables = {
      PATH: this.path,
      ...place,
      HOME: '/root',
      ...this.#mpi.variables(this),
      SIMWRIGHT_KILL_AFTER: '2',
      ...env,
    };
    const words = Object.entries(variables).map(([variable, value]) => `${variable}=${value}`);
    const script = `jobs/${name}.${this.#mpi.target}`;
    const [program, args] = on(this.#mpi.scriptsOn, 'env', '-i', ...words, 'bash', script);
    return execa(program, args, {
      env: place,
      stdin: 'ignore',
      reject: false,
      all: true,
      cwd: this.workspace.path('out'),
    });
  }

  /** Runs it to its end. */
  async run(
    name: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly code: number; readonly text: string }> {
    const { exitCode, all } = await this.start(name, env);
    return { code: exitCode ?? -1, text: all };
  }

  output(...path: readonly string[]): string {
    return this.workspace.lines('out/run', ...path).join('\n');
  }

  /** Waits until nothing of a job is left on these machines: no process, nothing in /tmp. */
  async expectNothingLeft(where: readonly string[] = ['head', ...nodes]): Promise<void> {
    const end = performance.now() + 20_000;
    // Other folders there may change while it looks.
    const everything = [
      'find',
      '/tmp/',
      '-path',
      '/tmp/*',
      '!',
      '-path',
      '/tmp/simwright-*',
      '-prune',
      '-o',
      '-path',
      '/tmp/simwright-*',
      '-print',
    ];
    for (;;) {
      const left = await Promise.all(
        where.map(async (node) => {
          // Open MPI leaves folders of its own when it is killed.
          const { stdout } = await cluster('on', node, '--', ...everything);
          const files = stdout.split('\n').filter((name) => name !== '');
          const running = (await processes(node, /./)).map(({ line }) => line);
          return [...files, ...running].map((one) => `${node}: ${one}`).join('\n');
        }),
      );
      if (left.every((one) => one === '')) return;
      if (performance.now() > end) expect(left.join('\n')).toBe('');
      await sleep(50);
    }
  }

  /** Waits until no process of that kind is left on a machine. */
  async expectGone(node: string, pattern: RegExp): Promise<void> {
    const end = performance.now() + 20_000;
    for (;;) {
      const found = await processes(node, pattern);
      if (found.length === 0 || performance.now() > end) return expect(found).toEqual([]);
      await sleep(50);
    }
  }

  /** Waits until as many tasks have said that they are ready; fails at once if the script ends before. */
  untilReady(path: string, tasks: number, script: PromiseLike<object>): Promise<void> {
    const count = () =>
      this.output(path)
        .split('\n')
        .filter((line) => line === 'ready').length;
    return meanwhile(script, `${tasks} tasks of ${path} are ready`, () => count() === tasks);
  }
}

/** Processes on a machine whose command lines match, without those of the machine itself. */
export async function processes(
  node: string,
  pattern: RegExp,
): Promise<{ readonly pid: number; readonly line: string }[]> {
  const { stdout } = await cluster('on', node, '--', 'ps', '-eo', 'pid=,args=');
  return stdout.split('\n').flatMap((row) => {
    const [, pid, line = ''] = /^\s*(\d+) (.*)/.exec(row) ?? [];
    const isOfMachine = / __machine |\/agent --serve |^ps -eo /.test(line);
    return !isOfMachine && pattern.test(line) ? [{ pid: Number(pid), line }] : [];
  });
}

/** Sends a signal to processes on a machine. */
export async function kill(node: string, pattern: RegExp, signal: 'KILL' | 'TERM' = 'KILL'): Promise<void> {
  const found = await processes(node, pattern);
  expect(found.length).toBeGreaterThan(0);
  await cluster('on', node, '--', 'kill', `-${signal}`, ...found.map(({ pid }) => String(pid)));
}
