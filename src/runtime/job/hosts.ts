import type { Job } from '../../ir/index.js';
import type { JobEnvironment } from './job-environment.js';

/**
 * Positions, among the hosts of a job, of those of one group of its nodes: hosts come in the order of the components. A job of one group has all
 * that came, whatever their number. Where a scheduler tells the first component's hosts only, positions go beyond these.
 */
export function hostPositions({ hosts }: Pick<JobEnvironment, 'hosts'>, planned: Job, group: number): number[] {
  const chosen = planned.groups[group];
  if (planned.groups.length === 1 || chosen === undefined) return hosts.map((_, position) => position);
  const { component, first, nodes } = chosen;
  const components = [planned.allocation, ...planned.components].slice(0, component);
  const before = first + components.reduce((sum, one) => sum + one.nodes, 0);
  return Array.from({ length: nodes }, (_, index) => before + index);
}

/** Position of a host among others; a name with a domain and one without may mean the same. */
export function positionOf(name: string, hosts: readonly string[]): number | undefined {
  const exact = hosts.indexOf(name);
  const at = exact >= 0 ? exact : hosts.findIndex((host) => shortName(host) === shortName(name));
  return at < 0 ? undefined : at;
}

function shortName(host: string): string {
  return host.split('.')[0] ?? host;
}
