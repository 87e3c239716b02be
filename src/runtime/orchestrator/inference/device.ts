/** A device as RedisAI names them: `CPU`, `GPU`, either with a number of up to nine digits. Undefined if it is none. */
export function parseDevice(text: string): string | undefined {
  return /^(CPU|GPU)(:\d{1,9})?$/i.test(text) ? text.toUpperCase() : undefined;
}
