import { WorkflowError } from '../../diagnostics/index.js';
import { parseDevicePair } from '../../ml/devices.js';

/** Devices by the devices that they stand in for, from `GPU=CPU,GPU:1=CPU`. Throws RUN1014. */
export function parseDeviceMap(text: string | undefined): Readonly<Record<string, string>> {
  const map: Record<string, string> = {};
  for (const pair of (text ?? '').split(',').filter((part) => part !== '')) {
    const devices = parseDevicePair(pair);
    if (devices === undefined) {
      throw new WorkflowError({
        code: 'RUN1014',
        message: `SIMWRIGHT_MAP_DEVICE=${text}: '${pair}' does not name two devices`,
        hint: "a device is CPU, GPU or GPU:1: 'GPU=CPU'",
      });
    }
    const [asked, given] = devices;
    map[asked] ??= given;
  }
  return map;
}
