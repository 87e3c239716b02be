import { existsSync } from 'node:fs';
import type { Entity } from '../../../ir/index.js';

/** Variables by which programs see some GPUs only, in the order in which a job's environment is asked. */
const variables = ['CUDA_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES', 'ZE_AFFINITY_MASK'] as const;
type Variable = (typeof variables)[number];

/** The GPUs that a job sees on its first host, in the scheduler's words; `undefined` where it does not say. */
export function visibleList(env: NodeJS.ProcessEnv): readonly string[] | undefined {
  const name = variables.find((one) => env[one] !== undefined);
  return name === undefined ? undefined : devicesOf(env[name] ?? '');
}

/** Devices of a list; Slurm writes `NoDevFiles`, and some write -1, where there is none. */
function devicesOf(list: string): string[] {
  return list
    .split(',')
    .map((device) => device.trim())
    .filter((device) => device !== '' && !/^(NoDevFiles|-\d+)$/.test(device));
}

/**
 * Variables that show a member the GPUs of its share alone, of which `positions` are those among the job's; none where the user's own
 * environment says which it is to see. `isHere`: all its hosts are the script's own, which the scheduler's list is of.
 */
export function gpuVariables(
  { env: ofUser, memberEnv = [] }: Pick<Entity, 'env' | 'memberEnv'>,
  env: NodeJS.ProcessEnv,
  positions: readonly number[],
  isHere: boolean,
): Record<string, string> {
  const isUsers = variables.some((name) => [ofUser, ...memberEnv].some((one) => one[name] !== undefined));
  if (positions.length === 0 || isUsers) return {};
  const list = visibleList(env);
  // Identifiers other than numbers are of one host.
  if (list !== undefined && !isHere && list.some((device) => !/^\d+$/.test(device))) return {};
  const devices = positions.map((position) => list?.[position] ?? String(position)).join(',');
  return Object.fromEntries(namesHere(env).map((name) => [name, devices]));
}

/**
 * The variables that the GPUs' maker reads: those that the job's environment has, else by the drivers of this host. Two of them for AMD's GPUs
 * would be applied one after the other, so that nothing is left.
 */
function namesHere(env: NodeJS.ProcessEnv): readonly Variable[] {
  const inEnv = variables.filter((name) => env[name] !== undefined);
  if (inEnv.length > 0) return inEnv;
  if (existsSync('/dev/nvidiactl')) return ['CUDA_VISIBLE_DEVICES'];
  if (existsSync('/dev/kfd')) return ['ROCR_VISIBLE_DEVICES'];
  // AMD's libraries read NVIDIA's variable, too.
  return ['CUDA_VISIBLE_DEVICES', 'ZE_AFFINITY_MASK'];
}
