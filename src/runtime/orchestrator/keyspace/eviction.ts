import { type EvictionPolicy, evictionPolicies } from '../../../ir/eviction-policies.js';

/** Record of a key's uses. */
export interface KeyUse {
  /** Grows with every access to any key. */
  lastUse: number;
  /** A logarithm of how often it was used, which fades by the minute. */
  uses: number;
  usesMinute: number;
  readonly expiresAtMs: number;
}

const newUses = 5;
const usesLogFactor = 10;
const mostUses = 255;

/** The policy of that name in any case, or undefined. */
export function parseEvictionPolicy(name: string): EvictionPolicy | undefined {
  return evictionPolicies.find((policy) => policy === name.toLowerCase());
}

/** True if `one` goes before `other`. */
export function goesFirst(policy: EvictionPolicy, one: KeyUse, other: KeyUse): boolean {
  if (policy.endsWith('-lru')) return one.lastUse < other.lastUse;
  if (policy.endsWith('-lfu')) {
    const difference = fadedUses(one) - fadedUses(other);
    return difference === 0 ? one.lastUse < other.lastUse : difference < 0;
  }
  return policy === 'volatile-ttl' && one.expiresAtMs < other.expiresAtMs;
}

/** Counts an access: the more were counted, the less likely. */
export function countUse(use: KeyUse): void {
  const uses = fadedUses(use);
  const counted = Math.random() * (Math.max(0, uses - newUses) * usesLogFactor + 1) < 1;
  use.uses = counted ? Math.min(uses + 1, mostUses) : uses;
  use.usesMinute = thisMinute();
}

/** The use of a key that has just been made. */
export function newUse(): Pick<KeyUse, 'uses' | 'usesMinute'> {
  return { uses: newUses, usesMinute: thisMinute() };
}

/** Number of uses of a key, as a logarithm, less what has faded. */
export function fadedUses({ uses, usesMinute }: Pick<KeyUse, 'uses' | 'usesMinute'>): number {
  return Math.max(0, uses - (thisMinute() - usesMinute));
}

function thisMinute(): number {
  return Math.floor(Date.now() / 60_000);
}
