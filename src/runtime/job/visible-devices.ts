import type { GpuMaker } from '../../ir/index.js';

/** Variables by which programs see some GPUs only, in the order in which a job's environment is asked. */
export const deviceVariables = ['CUDA_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES', 'ZE_AFFINITY_MASK'] as const;
export type DeviceVariable = (typeof deviceVariables)[number];

/** The variable of each maker's own. */
export const variableOf: Readonly<Record<GpuMaker, DeviceVariable>> = {
  nvidia: 'CUDA_VISIBLE_DEVICES',
  amd: 'ROCR_VISIBLE_DEVICES',
  intel: 'ZE_AFFINITY_MASK',
};

/**
 * The GPUs that a job sees on its first host, in the scheduler's words; `undefined` where it does not say. The variable of their maker, if the
 * site names one, is asked before others.
 */
export function visibleDevices(env: NodeJS.ProcessEnv, maker?: GpuMaker): readonly string[] | undefined {
  const names = maker === undefined ? deviceVariables : [variableOf[maker], ...deviceVariables];
  const name = names.find((one) => env[one] !== undefined);
  if (name === undefined) return undefined;
  // Slurm writes `NoDevFiles`, and some write -1, where there is none.
  return (env[name] ?? '')
    .split(',')
    .map((device) => device.trim())
    .filter((device) => device !== '' && !/^(NoDevFiles|-\d+)$/.test(device));
}
