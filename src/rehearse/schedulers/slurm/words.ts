import type { Cluster, Job, Run } from '../../standins.js';
import { foldHosts } from './values.js';

const words = {
  pending: ['PENDING', 'PD'],
  held: ['PENDING', 'PD'],
  running: ['RUNNING', 'R'],
  completed: ['COMPLETED', 'CD'],
  failed: ['FAILED', 'F'],
  cancelled: ['CANCELLED', 'CA'],
  timeout: ['TIMEOUT', 'TO'],
  node_fail: ['NODE_FAIL', 'NF'],
} as const satisfies Record<Run['state'], readonly [string, string]>;

/** A state in Slurm's words, long or short. */
export function stateWord({ state }: Run, short = false): string {
  return words[state][short ? 1 : 0];
}

export function reasonOf({ state, waitsFor, exitCode }: Run): string {
  if (state === 'held') return 'JobHeldUser';
  if (state === 'failed') return 'NonZeroExitCode';
  if (state === 'timeout') return 'TimeLimit';
  if (state === 'node_fail') return 'NodeDown';
  if (exitCode !== undefined || state === 'running') return 'None';
  const reasons = {
    resources: 'Resources',
    dependency: 'Dependency',
    'dependency never met': 'DependencyNeverSatisfied',
    'array limit': 'JobArrayTaskLimit',
    hold: 'JobHeldUser',
  } as const;
  return waitsFor === undefined ? 'None' : reasons[waitsFor];
}

/** `3:0`, `0:15`. */
export function exitWord({ exitCode = 0, signal }: Run): string {
  return signal === undefined ? `${exitCode}:0` : `0:${signal}`;
}

/** Runs of jobs with the ids that Slurm shows: `12`, `12_3`, and `12+1` for components of a heterogeneous job. */
export interface Row {
  readonly id: string;
  readonly ownId: string;
  readonly job: Job;
  readonly run: Run;
  readonly nodes: readonly string[];
}

export function rowsOf(jobs: readonly Job[]): Row[] {
  return jobs.flatMap((job) =>
    job.runs.flatMap((run) => {
      const nodes = run.nodes.map(({ name }) => name);
      const base = { ownId: run.ownId, job, run };
      if (job.request.components.length > 1) {
        return job.request.components.map((_, place) => ({
          ...base,
          id: `${job.id}+${place}`,
          nodes: run.components[place] ?? [],
        }));
      }
      return [{ ...base, id: run.index === undefined ? job.id : `${job.id}_${run.index}`, nodes }];
    }),
  );
}

/** Rows that an id stands for: `12`, `12_3`, `12_[1-3]`, `12+1`, or an element's own number. */
export function rowsOfId(rows: readonly Row[], id: string): Row[] {
  const [, job = id, mark, list] = /^(\d+)(?:([_+])\[?([^\]]*)\]?)?$/.exec(id) ?? [];
  if (list === undefined || mark === undefined) return rows.filter((row) => row.job.id === job || row.ownId === job);
  const wanted = new Set(
    list.split(',').flatMap((part) => {
      const [first = '', last = first] = part.split('-');
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, one) => String(Number(first) + one));
    }),
  );
  return rows.filter((row) => row.job.id === job && wanted.has(row.id.slice(job.length + 1)));
}

export function elapsedOf({ startedAt, endedAt }: Run, cluster: Cluster): number {
  return startedAt === undefined ? 0 : (endedAt ?? cluster.now()) - startedAt;
}

export function nodeList(nodes: readonly string[]): string {
  return foldHosts(nodes);
}

/** `2026-03-01T09:30:00` in local time, as Slurm writes moments; `N/A` without one. */
export function moment(cluster: Cluster, seconds: number | undefined): string {
  if (seconds === undefined) return 'N/A';
  const date = new Date(cluster.wallClock(seconds));
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
