import type { Problem } from '../../diagnostics/index.js';
import { formatClock } from '../../ir/index.js';
import { StatusReader } from '../../runtime/status/index.js';
import { isAlive, type JobState } from '../../targets/queries.js';
import { formatTable } from '../table.js';
import { type ClusterReport, clusterReports, clusterRow } from './clusters.js';
import { describeFailures, describeSkip, type EntityReport, entityReports } from './entities.js';
import { type JobFolder, needSubmissions } from './folder.js';
import type { Asking } from './scheduler.js';
import { type JobStanding, notStarted, shown, standingsOf } from './standing.js';
import { describeStats, mebibytes, type ShardReport, type StoreReport, storeReports, takeOverLines } from './stores.js';

/** Everything that `status` reports. */
export interface StatusReport {
  readonly experiment: string;
  readonly site: string;
  readonly folder: string;
  readonly jobs: readonly JobStanding[];
  readonly entities: readonly EntityReport[];
  readonly stores: readonly StoreReport[];
  /** Ray clusters. */
  readonly clusters: readonly ClusterReport[];
  readonly problems: readonly Problem[];
}

/** Looks at a folder again and again; what has been read of the status files is not read twice. */
export class StatusLook {
  readonly #reader: StatusReader;

  constructor(
    readonly folder: JobFolder,
    readonly asking: Asking,
  ) {
    this.#reader = new StatusReader(folder.dir);
  }

  async report(): Promise<StatusReport> {
    const { folder } = this;
    const submissions = needSubmissions(folder);
    this.#reader.refresh();
    const { jobs: all, problems } = await standingsOf(folder, submissions, this.#reader, this.asking);
    const jobs = [...shown(submissions, all), ...notStarted(folder, submissions)];
    this.#reader.refresh();
    return {
      experiment: folder.plan.experiment,
      site: folder.plan.site,
      folder: folder.dir,
      jobs,
      entities: entityReports(folder, this.#reader, jobs),
      stores: storeReports(folder.plan, folder.dir),
      clusters: clusterReports(folder.plan, folder.dir),
      problems,
    };
  }
}

/** True if nothing more will happen. */
export function hasEnded({ jobs }: StatusReport): boolean {
  return jobs.every(({ state }) => !isAlive(state));
}

/** Causes shown of each entity's failures. */
const shownCauses = 10;

/** The report as tables. */
export function formatReport(report: StatusReport): string {
  const { experiment, site, folder, jobs, entities, stores, clusters } = report;
  const parts = [`${experiment} for ${site} in ${folder}`, formatTable([jobHeadings, ...jobs.map(jobRow)])];
  parts.push(
    formatTable([['ENTITY', 'JOB', ...counted.map((word) => word.toUpperCase())], ...entities.map(entityRow)]),
  );
  if (stores.length > 0) parts.push(formatTable([['STORE', 'ADDRESS', 'HOLDS'], ...stores.map(storeRow)]));
  const shards = stores.flatMap(({ name, stats }) => (stats?.shards ?? []).map((shard) => ({ store: name, ...shard })));
  if (shards.length > 0) parts.push(shardTable(shards));
  const takeOvers = stores.flatMap(takeOverLines);
  if (takeOvers.length > 0) parts.push(takeOvers.join('\n'));
  if (clusters.length > 0) {
    parts.push(formatTable([['RAY CLUSTER', 'ADDRESS', 'CLIENT', 'DASHBOARD', 'HOSTS'], ...clusters.map(clusterRow)]));
  }
  const failures = entities.flatMap(failureLines);
  if (failures.length > 0) parts.push(failures.join('\n'));
  return parts.join('\n\n');
}

const jobHeadings = ['JOB', 'ID', 'STATE', 'ELAPSED', 'EXIT', 'REASON'];

function jobRow({ name, id, state, elapsedSeconds, exit, reason, elements }: JobStanding): string[] {
  const elapsed = elapsedSeconds === undefined || state === 'PENDING' ? '' : formatClock(elapsedSeconds);
  return [
    name,
    id,
    elements === undefined ? state : describeElements(elements),
    elapsed,
    String(exit ?? ''),
    reason ?? '',
  ];
}

/** `2 RUNNING, 5 PENDING` of an array. */
function describeElements(elements: Readonly<Partial<Record<JobState, number>>>): string {
  return Object.entries(elements)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}

const counted = ['completed', 'running', 'failed', 'interrupted', 'pending'] as const;

function entityRow(entity: EntityReport): string[] {
  const counts = counted.map((state) => String(entity[state]));
  return [entity.name, entity.job, ...counts];
}

function storeRow({ name, addresses, stats }: StoreReport): string[] {
  const [first = '', ...more] = addresses;
  const where = more.length === 0 ? first : `${first} and ${more.length} more`;
  return [name, where === '' ? 'not running' : where, stats === undefined ? '' : describeStats(stats)];
}

/** A row for each shard; replicas and take-overs where any store has them. */
function shardTable(shards: readonly (ShardReport & { readonly store: string })[]): string {
  const replicated = shards.some(({ replica }) => replica !== undefined);
  const headings = ['STORE', 'SHARD', 'SLOTS', 'ADDRESS', ...(replicated ? ['REPLICA', 'TAKE-OVERS'] : [])];
  const rows = shards.map(({ store, shard, first, last, address, replica, takeOvers = [], usedBytes, ...rest }) => [
    ...[store, String(shard), `${first}-${last}`, address],
    ...(replicated ? [replica === undefined ? '' : `${replica.address} ${replica.state}`] : []),
    ...(replicated ? [replica === undefined ? '' : String(takeOvers.length)] : []),
    mebibytes(usedBytes),
    ...[rest.keys, rest.clients, rest.requests, rest.models ?? ''].map(String),
  ]);
  return formatTable([[...headings, 'MEMORY', 'KEYS', 'CLIENTS', 'REQUESTS', 'MODELS'], ...rows]);
}

function failureLines({ name, skipped, causes }: EntityReport): string[] {
  const lines = causes.slice(0, shownCauses).map((cause) => `${describeFailures(name, cause)}; see ${cause.output}`);
  if (skipped !== undefined) lines.push(`${name} was skipped: ${describeSkip(skipped)}`);
  const more = causes.slice(shownCauses).reduce((sum, { members }) => sum + members.length, 0);
  return more > 0 ? [...lines, `and ${more} more of ${name} failed for other causes`] : lines;
}

/** A line for each job, entity, Ray cluster and store: what `--watch` prints when it changes. */
export function changeLines({ jobs, entities, stores, clusters }: StatusReport): string[] {
  return [
    ...jobs.map((job) => {
      const [, id, state, , exit, reason] = jobRow(job);
      const words = [exit === '' ? '' : `exit code ${exit}`, reason].filter((word) => word !== '');
      return `${job.name}${id === '' ? '' : ` (${id})`}: ${[state, ...words].join(', ')}`;
    }),
    ...entities.map((entity) => {
      const parts = counted.filter((state) => entity[state] > 0).map((state) => `${entity[state]} ${state}`);
      return `${entity.name}: ${parts.join(', ')}`;
    }),
    ...clusters.flatMap(({ name, address, hosts }) =>
      address === undefined ? [] : [`Ray cluster ${name}: ${address} on ${hosts.join(' ')}`],
    ),
    ...stores.flatMap(({ name, addresses, stats }) =>
      addresses.length === 0 || stats === undefined ? [] : [`store ${name}: ${describeStats(stats)}`],
    ),
    ...stores.flatMap(takeOverLines),
  ];
}
