import { WorkflowError } from '../../diagnostics/index.js';

/** GPUs of a node that `GPU` stands for. */
const mostGpus = 16;

/**
 * The devices that others stand in for, from `GPU=CPU,GPU:1=CPU`. `GPU` stands for all GPUs of a node, so that models spread over several
 * run as well. Throws RUN1004.
 */
export function parseDeviceMap(text: string | undefined): Readonly<Record<string, string>> {
  const map: Record<string, string> = {};
  for (const pair of (text ?? '').split(',').filter((part) => part !== '')) {
    const [, from, to] = /^(CPU|GPU(?::\d+)?)=(CPU|GPU(?::\d+)?)$/i.exec(pair) ?? [];
    if (from === undefined || to === undefined) {
      throw new WorkflowError({
        code: 'RUN1004',
        message: `SIMWRIGHT_MAP_DEVICE=${text}: '${pair}' names no two devices`,
        hint: "a device is CPU, GPU or GPU:1: 'GPU=CPU'",
      });
    }
    map[from.toUpperCase()] ??= to.toUpperCase();
    if (from.toUpperCase() !== 'GPU') continue;
    for (let gpu = 0; gpu < mostGpus; gpu++) map[`GPU:${gpu}`] ??= to.toUpperCase();
  }
  return map;
}
