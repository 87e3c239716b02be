/** Rounds of the Feistel network: enough that neighbours land far apart. */
const rounds = 6;

/**
 * Where a seeded permutation of `0 … size - 1` sends `index`: a function of its arguments alone, the same on every machine, in
 * constant memory.
 *
 * A Feistel network over the next even power of two, walked until it lands below `size` (Black and Rogaway, CT-RSA 2002). `size` is at most 2^52.
 */
export function permute(index: number, size: number, seed: number): number {
  if (size <= 1) return 0;
  let bits = 1;
  while (4 ** bits < size) bits++;
  const half = 2 ** bits;
  let place = index;
  do {
    let left = Math.floor(place / half);
    let right = place % half;
    for (let round = 0; round < rounds; round++) {
      const mixed = (left + (mix(right, seed, round) % half)) % half;
      left = right;
      right = mixed;
    }
    // Left and right are swapped once more than needed; any fixed relabelling keeps the bijection.
    place = left * half + right;
  } while (place >= size);
  return place;
}

/** 32 bits from a value, the seed and the round, after the finaliser of MurmurHash3. */
function mix(value: number, seed: number, round: number): number {
  let hash = (value ^ Math.floor(value / 2 ** 32)) >>> 0;
  hash = Math.imul(hash ^ (seed >>> 0), 0x85ebca6b) >>> 0;
  hash = (hash ^ Math.floor(seed / 2 ** 32) ^ Math.imul(round + 1, 0x9e3779b9)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}
