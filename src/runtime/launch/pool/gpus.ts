import { existsSync } from 'node:fs';
import type { Entity, GpuMaker } from '../../../ir/index.js';
import { type DeviceVariable, deviceVariables, variableOf, visibleDevices } from '../../job/visible-devices.js';

/**
 * Variables that show a member the GPUs of its share alone, of which `positions` are those among the job's; none where the user's own
 * environment says which it is to see. `isHere`: all its hosts are the script's own, which the scheduler's list is of; `maker`: that of the
 * GPUs, if the site says.
 */
export function gpuVariables(
  { env: ofUser, memberEnv = [] }: Pick<Entity, 'env' | 'memberEnv'>,
  env: NodeJS.ProcessEnv,
  positions: readonly number[],
  { isHere, maker }: { readonly isHere: boolean; readonly maker?: GpuMaker | undefined },
): Record<string, string> {
  const isUsers = deviceVariables.some((name) => [ofUser, ...memberEnv].some((one) => one[name] !== undefined));
  if (positions.length === 0 || isUsers) return {};
  const list = visibleDevices(env, maker);
  // Identifiers other than numbers are of one host.
  if (list !== undefined && !isHere && list.some((device) => !/^\d+$/.test(device))) return {};
  const devices = positions.map((position) => list?.[position] ?? String(position)).join(',');
  return Object.fromEntries(namesHere(env, maker).map((name) => [name, devices]));
}

/**
 * The variables that the GPUs' maker reads: those that the job's environment has, else the maker's own, else by the drivers of this host. Two of them for AMD's GPUs
 * would be applied one after the other, so that nothing is left.
 */
function namesHere(env: NodeJS.ProcessEnv, maker: GpuMaker | undefined): readonly DeviceVariable[] {
  const inEnv = deviceVariables.filter((name) => env[name] !== undefined);
  if (inEnv.length > 0) return inEnv;
  if (maker !== undefined) return [variableOf[maker]];
  if (existsSync('/dev/nvidiactl')) return ['CUDA_VISIBLE_DEVICES'];
  if (existsSync('/dev/kfd')) return ['ROCR_VISIBLE_DEVICES'];
  // AMD's libraries read NVIDIA's variable, too.
  return ['CUDA_VISIBLE_DEVICES', 'ZE_AFFINITY_MASK'];
}
