import { counted } from '../../../diagnostics/index.js';
import type { Entry } from './books.js';
import type { Need, PoolNode } from './room.js';

/** Why a member waits, in words: `waits for 2 nodes of 4 CPUs and 1 GPU each: sim holds n1 n2`. */
export function describeWait(need: Need, nodes: readonly PoolNode[], others: readonly Entry[]): string {
  const gpus = need.gpus === 0 ? '' : ` and ${counted(need.gpus, 'GPU')}`;
  const each = need.nodes === 1 ? '' : ' each';
  const what = `waits for ${counted(need.nodes, 'node')} of ${counted(need.cpus, 'CPU')}${gpus}${each}`;
  const among = new Set(need.among);
  const holders = new Map<string, Set<number>>();
  for (const { entity, shares } of others) {
    for (const node of shares.flatMap((share) => share.nodes).filter((one) => among.has(one))) {
      holders.set(entity, (holders.get(entity) ?? new Set()).add(node));
    }
  }
  const named = [...holders].map(([entity, held]) => `${entity} holds ${hostList([...held], nodes)}`);
  return named.length === 0 ? what : `${what}: ${named.join(', ')}`;
}

/** Names of the first few nodes, and the number of the others. */
function hostList(held: readonly number[], nodes: readonly PoolNode[]): string {
  const names = [...held].sort((a, b) => a - b).map((node) => nodes[node]?.name ?? String(node));
  return names.length <= 4 ? names.join(' ') : `${names.slice(0, 4).join(' ')} and ${names.length - 4} more`;
}
