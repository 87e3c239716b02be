/** Pattern of a device as RedisAI names them: `CPU`, `GPU`, either with a number of up to five digits. */
export const devicePattern = /^(CPU|GPU)(:\d{1,5})?$/;

const anyCase = new RegExp(devicePattern, 'i');

/** A device in capitals, from a text in any case; undefined if it names none. */
export function parseDevice(text: string): string | undefined {
  return anyCase.test(text) ? text.toUpperCase() : undefined;
}

/** The two devices of `GPU:0=CPU`, the one that models ask for and the one that they get; undefined if there are no two. */
export function parseDevicePair(text: string): readonly [asked: string, given: string] | undefined {
  const [asked, given, ...more] = text.split('=').map(parseDevice);
  return asked === undefined || given === undefined || more.length > 0 ? undefined : [asked, given];
}

/**
 * The device that runs what another one is asked for, by a map whose names {@link parseDevice} gives: `GPU` is the first GPU where
 * models ask for it, and all of them where the map names it.
 */
export function standIn(map: Readonly<Record<string, string>>, device: string): string {
  const general = device === 'GPU' ? map['GPU:0'] : device.startsWith('GPU') ? map['GPU'] : undefined;
  return map[device] ?? general ?? device;
}

/** True if a device is among others: `CPU:n` is the CPU with a queue of its own, `GPU` the first GPU. */
export function isAmong(devices: readonly string[], device: string): boolean {
  return devices.map(plainDevice).includes(plainDevice(device));
}

function plainDevice(device: string): string {
  const spelled = parseDevice(device) ?? device;
  if (spelled.startsWith('CPU')) return 'CPU';
  return spelled === 'GPU' ? 'GPU:0' : spelled;
}
