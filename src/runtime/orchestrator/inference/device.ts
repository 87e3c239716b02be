/** A device as RedisAI names them: `CPU`, `GPU`, either with a number of up to five digits. Undefined if it is none. */
export function parseDevice(text: string): string | undefined {
  return /^(CPU|GPU)(:\d{1,5})?$/i.test(text) ? text.toUpperCase() : undefined;
}

/**
 * The device that runs what another one is asked for, by a map whose names {@link parseDevice} gives: `GPU` is the first GPU where
 * models ask for it, and all of them where the map names it.
 */
export function standIn(map: Readonly<Record<string, string>>, device: string): string {
  const general = device === 'GPU' ? map['GPU:0'] : device.startsWith('GPU') ? map['GPU'] : undefined;
  return map[device] ?? general ?? device;
}
