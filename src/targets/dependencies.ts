import type { Event } from '../ir/index.js';

/** Dependencies as Slurm and PBS write them: `afterok:1.srv,afterany:2.srv`. */
export function dependencyList(after: readonly { readonly id: string; readonly event: Event }[]): string {
  return after.map(({ id, event }) => `${dependencyTypes[event]}:${id}`).join(',');
}

const dependencyTypes: Readonly<Record<Event, string>> = {
  completed: 'afterok',
  failed: 'afternotok',
  ended: 'afterany',
  started: 'after',
};
