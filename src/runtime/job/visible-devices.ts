/** Variables by which programs see some GPUs only, in the order in which a job's environment is asked. */
export const deviceVariables = ['CUDA_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES', 'ZE_AFFINITY_MASK'] as const;
export type DeviceVariable = (typeof deviceVariables)[number];

/** The GPUs that a job sees on its first host, in the scheduler's words; `undefined` where it does not say. */
export function visibleDevices(env: NodeJS.ProcessEnv): readonly string[] | undefined {
  const name = deviceVariables.find((one) => env[one] !== undefined);
  if (name === undefined) return undefined;
  // Slurm writes `NoDevFiles`, and some write -1, where there is none.
  return (env[name] ?? '')
    .split(',')
    .map((device) => device.trim())
    .filter((device) => device !== '' && !/^(NoDevFiles|-\d+)$/.test(device));
}
