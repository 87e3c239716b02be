/** A client that believes in a cluster puts this before the names of models and scripts (shard prefix of slot 0). */
export const singleShardPrefix = '{\0\0}.';

/** A model's or script's name without what a cluster client puts before it. */
export function plainName(key: string): string {
  return key.startsWith(singleShardPrefix) ? key.slice(singleShardPrefix.length) : key;
}
