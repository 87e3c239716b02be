import type { RayCluster } from '../../ir/index.js';
import { rankVariables } from '../job/rank.js';
import { objectStoreBytes } from './memory-limit.js';

/** A node of a cluster, as `ray start` is told of it. */
export interface NodeOptions {
  readonly ray: RayCluster;
  /** Address by which the other nodes reach this one. */
  readonly ip: string;
  readonly temporary: string;
  /** Port of its agent, for which Ray would take the same on each node. */
  readonly agentPort: number;
}

/** Ports of a head. */
export interface HeadPorts {
  /** 0: Ray chooses. */
  readonly head: number;
  readonly dashboard: number;
  /** Absent where Ray's client server cannot run. */
  readonly client: number | undefined;
}

/** Arguments of `ray start` on the head. */
export function headArguments(node: NodeOptions, ports: HeadPorts): string[] {
  return [
    '--head',
    `--port=${ports.head}`,
    ...(ports.client === undefined ? [] : [`--ray-client-server-port=${ports.client}`]),
    '--dashboard-host=127.0.0.1',
    `--dashboard-port=${ports.dashboard}`,
    ...everyNode(node, node.ray.headArgs),
  ];
}

/** Arguments of `ray start` on a node that joins the head at an address. */
export function workerArguments(node: NodeOptions, headAddress: string): string[] {
  return [`--address=${headAddress}`, ...everyNode(node, node.ray.workerArgs)];
}

function everyNode({ ray, ip, temporary, agentPort }: NodeOptions, further: readonly string[]): string[] {
  const storeBytes = further.some((word) => word.startsWith('--object-store-memory')) ? undefined : objectStoreBytes();
  return [
    '--block',
    `--node-ip-address=${ip}`,
    `--temp-dir=${temporary}`,
    `--dashboard-agent-listen-port=${agentPort}`,
    ...(ray.cpusPerNode === undefined ? [] : [`--num-cpus=${ray.cpusPerNode}`]),
    `--num-gpus=${ray.gpusPerNode}`,
    ...(storeBytes === undefined ? [] : [`--object-store-memory=${storeBytes}`]),
    '--disable-usage-stats',
    '--log-style=record',
    '--log-color=false',
    ...further,
  ];
}

/** Variables that a login shell or an outer job may have left, and that would lead Ray astray. */
const misleading = ['RAY_ADDRESS', 'RAY_AUTH_MODE', 'RAY_AUTH_TOKEN', 'RAY_AUTH_TOKEN_PATH', 'RAY_TMPDIR'];

/** Environment of Ray's processes on a node. `mark` is a variable that tells them from all others. */
export function rayEnvironment(
  env: NodeJS.ProcessEnv,
  tokenFile: string | undefined,
  mark: readonly [name: string, value: string],
): Record<string, string> {
  // A library that Ray runs in its workers would take a launcher's rank for that of a process of MPI.
  const left = new Set([...misleading, ...rankVariables]);
  const kept = Object.entries(env).flatMap(([name, value]) =>
    left.has(name) || value === undefined ? [] : [[name, value] as const],
  );
  return {
    ...Object.fromEntries(kept),
    ...(tokenFile === undefined
      ? { RAY_AUTH_MODE: 'disabled' }
      : { RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN_PATH: tokenFile }),
    RAY_USAGE_STATS_ENABLED: '0',
    RAY_DISABLE_IMPORT_WARNING: '1',
    // Ray's processes change their titles; this leaves their environment as it is, by which they are found and ended.
    SPT_NOENV: '1',
    [mark[0]]: mark[1],
  };
}
