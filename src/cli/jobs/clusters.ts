import type { Plan } from '../../ir/index.js';
import { ClusterFiles } from '../../runtime/ray/cluster-files.js';

/** Addresses of a Ray cluster, for `status`. */
export interface ClusterReport {
  readonly name: string;
  /** Absent where the cluster does not run: `HOST:PORT` of Ray's own protocol. */
  readonly address?: string;
  /** Absent without a client server: `ray://HOST:PORT`. */
  readonly client?: string;
  /** Absent without a dashboard: its URL on the head's loopback. */
  readonly dashboard?: string;
  readonly hosts: readonly string[];
}

/** Every Ray cluster of the plan, from run/clusters/NAME. */
export function clusterReports(plan: Plan, dir: string): ClusterReport[] {
  return plan.entities.flatMap(({ name, ray }): ClusterReport[] => {
    if (ray === undefined) return [];
    const running = new ClusterFiles(dir, name).address();
    if (running === undefined) return [{ name, hosts: [] }];
    const { address, client, dashboard, hosts } = running;
    return [
      {
        name,
        address,
        ...(client === undefined ? {} : { client }),
        ...(dashboard === undefined ? {} : { dashboard }),
        hosts,
      },
    ];
  });
}

/** Rows of the table of Ray clusters: name, address, client's address, dashboard, hosts. */
export function clusterRow({ name, address, client = '', dashboard = '', hosts }: ClusterReport): string[] {
  return [name, address ?? 'not running', client, dashboard, hosts.join(' ')];
}
