/** Rules for what a full store throws out, by Redis's names: `allkeys-` any key, `volatile-` one that expires. */
export const evictionPolicies = [
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const;

/** One of {@link evictionPolicies}. */
export type EvictionPolicy = (typeof evictionPolicies)[number];
