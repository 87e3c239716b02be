import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll } from 'vitest';
import { type CommandEnd, root, simwrightWords } from '../helpers/simwright.js';

const script = join(root, 'test/clusters/sge/cluster');

/** Checkouts that lie side by side have a cluster each. */
const slot = createHash('sha256').update(root).digest()[0] ?? 0;
const place = { SIMWRIGHT_SGE_DIR: `/var/tmp/simwright-sge-test${slot}` };

/** Why there can be no Grid Engine on this machine; empty where there can. */
export function whyNoSge(): string {
  if (process.getuid?.() !== 0) return 'not root';
  const has = (command: string) => succeeds('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v "$1"', 'sh', command]);
  const missing = ['sge_qmaster', 'sge_execd', 'qsub', 'ip', 'mpirun'].filter((name) => !has(name));
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

/** A Grid Engine of two nodes of four slots; see test/clusters/sge/cluster. Its commands run on the head. */
export class Cluster {
  static async up(): Promise<Cluster> {
    await execa(script, ['up'], { env: place, stdin: 'ignore' });
    return new Cluster();
  }

  static async down(): Promise<void> {
    await execa(script, ['down'], { env: place, stdin: 'ignore' });
  }

  /** Runs a command on the head, in that folder. */
  async run(cwd: string, ...words: readonly string[]): Promise<CommandEnd> {
    const options = { env: place, stdin: 'ignore', reject: false, stripFinalNewline: false, cwd } as const;
    const { stdout, stderr, exitCode } = await execa(script, ['on', 'head', '--', ...words], options);
    return { stdout, stderr, exitCode };
  }

  /** Runs one of Grid Engine's commands; returns what it prints. */
  async ask(...words: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run('/', ...words);
    if (exitCode !== 0) throw new Error(`${words.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Runs the built command line on the head. */
  async simwright(cwd: string, ...words: readonly string[]): Promise<CommandEnd> {
    return this.run(cwd, ...simwrightWords, ...words);
  }
}

/** A cluster for all tests of a `describe`, up before the first and down after the last. */
export function useCluster(): () => Cluster {
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await Cluster.up();
  }, 180_000);
  afterAll(() => Cluster.down(), 60_000);
  return () => {
    if (cluster === undefined) throw new Error('the cluster is not up');
    return cluster;
  };
}
