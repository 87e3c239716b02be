import { formatValue, memberDigest, memberParams, type Plan, parameterNames } from '../../ir/index.js';
import type { EntityStatus } from './entity-status.js';
import type { LaunchEvent } from './status-event.js';

const fixedColumns = ['ensemble', 'index', 'name', 'state', 'exit', 'seconds', 'host'];

/**
 * All ensembles' members as CSV: ensemble, index, name, a column a parameter, state, exit, seconds, host. A parameter whose name is one
 * of those columns gets `param.` before it. `exit` is 128 + n where signal n ended the application. A member that nothing has
 * happened to is `pending`.
 */
export function membersCsv(plan: Plan, statusOf: (entity: string) => EntityStatus): string {
  const ensembles = plan.entities.filter((entity) => entity.kind === 'ensemble');
  const parameters = [...new Set(ensembles.flatMap((entity) => parameterNames(entity.members)))];
  const headings = parameters.map((name) => (fixedColumns.includes(name) ? `param.${name}` : name));
  const rows = [['ensemble', 'index', 'name', ...headings, 'state', 'exit', 'seconds', 'host']];
  for (const ensemble of ensembles) {
    const { members, launches } = statusOf(ensemble.name);
    const hosts = hostsOf(launches.values());
    for (let index = 0; index < ensemble.members.count; index++) {
      const params = memberParams(ensemble.members, index);
      const last = members.get(index);
      const event = last?.digest === memberDigest(plan, ensemble, index) ? last : undefined;
      rows.push([
        ensemble.name,
        String(index),
        `${ensemble.name}_${index}`,
        ...parameters.map((name) => (params[name] === undefined ? '' : formatValue(params[name]))),
        event?.state ?? 'pending',
        event?.exit === undefined ? '' : String(event.exit),
        event?.seconds === undefined ? '' : String(event.seconds),
        event?.host ?? hosts.get(`${event?.jobId}/${index}`) ?? '',
      ]);
    }
  }
  return `${rows.map((row) => row.map(quoteCsvField).join(',')).join('\n')}\n`;
}

/** Hosts that launches heard of at their ends, by job id and member. */
function hostsOf(launches: Iterable<LaunchEvent>): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>();
  for (const launch of launches) {
    for (const [host, indices] of Object.entries(launch.hosts ?? {})) {
      for (const index of indices) hosts.set(`${launch.jobId}/${index}`, host);
    }
  }
  return hosts;
}

function quoteCsvField(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
