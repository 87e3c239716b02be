import { existsSync, readFileSync, statSync } from 'node:fs';
import type { AllocatedNode, Allocation, Call, Cluster, Job, JobRequest } from '../../../src/rehearse/standins.js';

/** Parts of a command line: blanks part them, quotes of both kinds group. */
export function wordsOf(line: string): string[] {
  return (line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single),
  );
}

/** A call of a stand-in as a shell in that folder makes it. */
export function callOf(line: string, more: Partial<Call> = {}): Call {
  const [name = '', ...argv] = wordsOf(line);
  const read = (path: string) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined);
  return {
    name,
    argv,
    env: {},
    cwd: '/var/tmp',
    stdin: undefined,
    host: 'node1',
    readFile: read,
    isDirectory: (path) => existsSync(path) && statSync(path).isDirectory(),
    ...more,
  };
}

/** A job that asks for nothing. */
export const request: JobRequest = {
  script: 'job.sh',
  text: '#!/bin/bash\n',
  name: 'job',
  components: [],
  walltimeSeconds: 600,
  after: [],
  endsUnrun: false,
  held: false,
  out: 'out',
  err: 'out',
  appends: false,
  env: {},
  cwd: '/var/tmp',
  startsIn: '/var/tmp',
  onLaunchNode: false,
  ignored: [],
};

/** Nodes `node1` and on, all alike. */
export function nodesOf(count: number, like: Partial<AllocatedNode> = {}): AllocatedNode[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `node${index + 1}`,
    cpus: 4,
    gpus: 0,
    memoryMiB: 4000,
    ...like,
  }));
}

/** Allocation of whole nodes. */
export function allocationOf(nodes: readonly AllocatedNode[], more: Partial<JobRequest> = {}): Allocation {
  return { jobId: '1', request: { ...request, ...more }, nodes, components: [nodes.map(({ name }) => name)] };
}

/** A machine that takes every job and starts none. */
export function emptyCluster(nodes: number, cpus: number, gpus = 0): Cluster {
  const jobs: Job[] = [];
  const names = nodesOf(nodes).map(({ name }) => name);
  const fits = ({ components }: JobRequest) =>
    components.reduce((sum, one) => sum + one.nodes, 0) <= nodes &&
    components.every(
      ({ cpusPerNode, gpusPerNode, memoryMiB, onlyOn = [] }) =>
        cpusPerNode <= cpus && gpusPerNode <= gpus && memoryMiB <= 4000 && onlyOn.every((host) => names.includes(host)),
    );
  return {
    name: 'cluster',
    loginNode: 'login',
    launchNode: 'launch',
    nodes: nodesOf(nodes, { cpus, gpus }).map((one) => ({ ...one, threadsPerCore: 1 })),
    jobs,
    user: { name: 'user', uid: 1000 },
    now: () => 0,
    wallClock: () => 0,
    submit: (asked) => {
      const id = String(jobs.length + 1);
      jobs.push({ id, request: asked, submittedAt: 0, runs: [] });
      return id;
    },
    fits,
    cancel: () => false,
    signal: () => false,
    release: () => false,
    steps: () => [],
  };
}
