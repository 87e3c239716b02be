import { readFileSync } from 'node:fs';
import type { Plan } from '../../ir/index.js';
import { thisHost } from '../job/job-environment.js';
import { isHeld } from '../job/member-lock.js';
import { memberPath } from '../job/paths.js';
import { readSharedAddress } from '../store-files/address-file.js';
import type { StoreAddress } from '../store-files/store-address.js';

/**
 * Tells, from outside of a job, where a store is that runs now: its process is there, or, on another host, a member that sees it is held by its
 * job. What a job that was killed has left is none.
 */
export function runningStoreOf(dir: string, plan: Plan): (store: string) => StoreAddress | undefined {
  return (store) => {
    const address = readSharedAddress(dir, store);
    const node = address?.nodes[0];
    if (address === undefined || node === undefined) return undefined;
    const runs = node.host === thisHost() ? isStore(node.pid, address.id) : isUsed(dir, plan, store);
    return runs ? address : undefined;
  };
}

function isStore(pid: number, id: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(id);
  } catch {
    return false;
  }
}

function isUsed(dir: string, plan: Plan, store: string): boolean {
  return plan.entities
    .filter(({ stores }) => stores.includes(store))
    .some((entity) => {
      for (let index = 0; index < entity.members.count; index++) {
        if (isHeld(memberPath(dir, entity, index))) return true;
      }
      return false;
    });
}
