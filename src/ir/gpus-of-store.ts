import type { Store } from './plan.js';

/** Numbers of the GPUs that a store's ML models and scripts are loaded on. */
export function gpusOfStore({ mlModels, scripts }: Pick<Store, 'mlModels' | 'scripts'>): number[] {
  const numbers = [...mlModels, ...scripts].flatMap(({ device, devicesPerNode, firstDevice }) => {
    if (!device.startsWith('GPU')) return [];
    const named = device.split(':')[1];
    return named === undefined
      ? Array.from({ length: devicesPerNode }, (_, index) => firstDevice + index)
      : [Number(named)];
  });
  return [...new Set(numbers)];
}
