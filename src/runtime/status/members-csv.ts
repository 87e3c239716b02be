import {
  csvLine,
  formatValue,
  hasNumbers,
  memberDigest,
  memberParams,
  type Plan,
  parameterNames,
} from '../../ir/index.js';
import type { EntityStatus } from './entity-status.js';
import { LaunchHosts } from './launch-hosts.js';

const fixedColumns = ['ensemble', 'index', 'name', 'state', 'exit', 'seconds', 'host'];

/** Rows of a piece. */
const rowsAtOnce = 500;

/**
 * All ensembles' members as CSV: ensemble, index, name, a column a parameter, state, exit, seconds, host. A parameter whose name is one
 * of those columns gets `param.` before it. `exit` is 128 + n where signal n ended the application. A member that nothing has
 * happened to is `pending`. In pieces of some hundred rows, for those who have other things to do in between.
 */
export function* membersCsvPieces(plan: Plan, statusOf: (entity: string) => EntityStatus): Generator<string> {
  const ensembles = plan.entities.filter(hasNumbers);
  const parameters = [...new Set(ensembles.flatMap((entity) => parameterNames(entity.members)))];
  const headings = parameters.map((name) => (fixedColumns.includes(name) ? `param.${name}` : name));
  yield csvLine(['ensemble', 'index', 'name', ...headings, 'state', 'exit', 'seconds', 'host']);
  for (const ensemble of ensembles) {
    const { members, launches } = statusOf(ensemble.name);
    const hosts = new LaunchHosts(launches.values());
    let lines: string[] = [];
    for (let index = 0; index < ensemble.members.count; index++) {
      const params = memberParams(ensemble.members, index);
      const last = members.get(index);
      const event = last?.digest === memberDigest(plan, ensemble, index) ? last : undefined;
      const row = [
        ensemble.name,
        String(index),
        `${ensemble.name}_${index}`,
        ...parameters.map((name) => (params[name] === undefined ? '' : formatValue(params[name]))),
        event?.state ?? 'pending',
        event?.exit === undefined ? '' : String(event.exit),
        event?.seconds === undefined ? '' : String(event.seconds),
        event?.host ?? (event === undefined ? undefined : hosts.of(event.jobId, index)) ?? '',
      ];
      lines.push(csvLine(row));
      if (lines.length < rowsAtOnce) continue;
      yield lines.join('');
      lines = [];
    }
    if (lines.length > 0) yield lines.join('');
  }
}
