import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll } from 'vitest';
import { root } from '../helpers/simwright.js';

const script = join(root, 'test/clusters/slurm/cluster');

/** Test files that run at the same time have a cluster each, and so have checkouts side by side. */
const worker = Number(process.env['VITEST_POOL_ID'] ?? 0);
const slot = ((createHash('sha256').update(root).digest()[0] ?? 0) + worker) % 256;

/** A place of its own, so that a cluster that somebody else has brought up stays. */
const place = {
  SIMWRIGHT_SLURM_DIR: `/var/tmp/simwright-slurm-test${slot}`,
  SIMWRIGHT_SLURM_SUBNET: `10.214.${slot}`,
  SIMWRIGHT_SLURM_LINK: `swslurmt${slot}`,
};

/** Why there can be no Slurm on this machine; empty where there can. Packages are installed only where that was allowed. */
export function whyNoSlurm(): string {
  if (process.getuid?.() !== 0) return 'not root';
  const has = (command: string) => succeeds('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v "$1"', 'sh', command]);
  const missing = ['sbatch', 'slurmctld', 'slurmd', 'slurmdbd', 'munged', 'mariadbd', 'ip'].filter(
    (name) => !has(name),
  );
  const mayInstall = process.env['CI'] || process.env['SIMWRIGHT_TEST_INSTALL'];
  if (missing.length > 0 && !(mayInstall && has('apt-get'))) {
    return `no ${missing.join(', ')}; SIMWRIGHT_TEST_INSTALL=1 lets the test install them`;
  }
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

/** A job, or a step of one, as the accounting has it. */
export interface Accounted {
  readonly id: string;
  readonly state: string;
  /** Exit code and signal: `3:0`. */
  readonly exitCode: string;
  readonly nodes: string;
}

const ended = /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE|PREEMPTED)/;

/** A Slurm cluster of four nodes of four CPUs; see test/clusters/slurm/README.md. */
export class Cluster {
  readonly env: Readonly<Record<string, string>>;

  private constructor(configuration: string) {
    this.env = { SLURM_CONF: configuration };
  }

  static async up(...options: readonly string[]): Promise<Cluster> {
    const { stdout } = await execa(script, ['up', ...options], { env: place, stdin: 'ignore' });
    const configuration = /SLURM_CONF=(\S+)/.exec(stdout)?.[1];
    if (configuration === undefined) throw new Error(`the cluster has said: ${stdout}`);
    return new Cluster(configuration);
  }

  static async down(): Promise<void> {
    await execa(script, ['down'], { env: place, stdin: 'ignore' });
  }

  /** Runs one of Slurm's commands; returns what it prints. */
  async ask(command: string, ...words: readonly string[]): Promise<string> {
    const { stdout } = await execa(command, words, { env: this.env, stdin: 'ignore' });
    return stdout;
  }

  /** Runs a command as on a node. */
  async on(node: string, ...words: readonly string[]): Promise<string> {
    const { stdout } = await execa(script, ['on', node, '--', ...words], {
      env: place,
      stdin: 'ignore',
      cwd: '/',
    });
    return stdout;
  }

  /** Lets a node die: its processes and its network are gone at once. Slurm learns of it when it is told, or after a minute. */
  async crash(node: string): Promise<void> {
    await execa(script, ['crash', node], { env: place, stdin: 'ignore' });
  }

  /** Starts a node again that has died; resolves when it can run jobs. */
  async boot(node: string): Promise<void> {
    await execa(script, ['boot', node], { env: place, stdin: 'ignore' });
  }

  /** Submits a compiled folder by its own script, with these variables too; returns the ids by job. */
  async submit(
    folder: string,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, string>>> {
    const env = { ...this.env, ...variables };
    const { stdout } = await execa(join(folder, 'submit.sh'), { env, stdin: 'ignore', cwd: '/' });
    return Object.fromEntries(stdout.split('\n').map((line) => line.split('\t') as [string, string]));
  }

  /** The job's own records, one an element of an array. */
  async account(id: string): Promise<Accounted[]> {
    const fields = ['-n', '-P', '-o', 'jobid,state,exitcode,nodelist', '-j', id];
    const text = await this.ask('sacct', '-X', ...fields);
    return (
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('|'))
        // Its time with a node that has died is a row of its own.
        .filter(([, state]) => state !== 'RESIZING')
        .map(([job = '', state = '', exitCode = '', nodes = '']) => ({ id: job, state, exitCode, nodes }))
    );
  }

  /** Its steps by their names, in the order of their starts, without the batch script. */
  async steps(id: string): Promise<(Accounted & { readonly name: string })[]> {
    const text = await this.ask('sacct', '-n', '-P', '-o', 'jobid,state,exitcode,nodelist,jobname', '-j', id);
    return text
      .split('\n')
      .map((line) => line.split('|'))
      .filter(([step = '']) => /\.\d+$/.test(step))
      .map(([step = '', state = '', exitCode = '', nodes = '', name = '']) => ({
        id: step,
        state,
        exitCode,
        nodes,
        name,
      }));
  }

  /** Waits until the job, or all elements of the array, have ended in the accounting. */
  async ended(id: string, elements = 1, seconds = 480): Promise<Accounted[]> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const records = await this.account(id);
      if (records.length >= elements && records.every(({ state }) => ended.test(state))) return records;
      if (performance.now() > end) {
        const queue = await this.ask('squeue', '-t', 'all', '-j', id);
        throw new Error(`job ${id} has not ended in ${seconds} s:\n${queue}\n${JSON.stringify(records)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** State and reason of a job as the queue shows them: `PENDING Dependency`; a line an element. */
  async queued(id: string): Promise<string[]> {
    const text = await this.ask('squeue', '-h', '-r', '-t', 'all', '-o', '%T %r', '-j', id);
    return text.split('\n').filter((line) => line !== '');
  }
}

/** A cluster for all tests of a `describe`, up before the first and down after the last; `options` are those of `cluster up`. */
export function useCluster(...options: readonly string[]): () => Cluster {
  let cluster: Cluster | undefined;
  // A machine may have to install Slurm first.
  beforeAll(async () => {
    cluster = await Cluster.up(...options);
  }, 540_000);
  afterAll(() => Cluster.down(), 180_000);
  return () => {
    if (cluster === undefined) throw new Error('the cluster is not up');
    return cluster;
  };
}
