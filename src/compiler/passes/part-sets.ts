import type { ApplicationDeclaration } from '../../ir/index.js';
import { meetings } from './lookup/meetings.js';
import type { Demand } from './part-demand.js';

type Applications = readonly ApplicationDeclaration[];

/** Sets of applications for which a part has to have room at one time: one member of each. */
export interface PartSets {
  /** Applications that have to run at the same time, as far as they run here. */
  readonly meeting: readonly Applications[];
  /** Single ones, where stores may hold what they need. */
  readonly single: readonly Applications[];
  readonly all: readonly Applications[];
}

/** The sets of a part. On one machine nobody counts. `storesHold`: launches wait for CPUs and GPUs of stores. */
export function setsOf(demand: Demand, storesHold: boolean): PartSets {
  const { part, input } = demand;
  if (input.target.capabilities.oneNode) return { meeting: [], single: [], all: [] };
  const here = new Set(part.applications);
  const meeting = meetings(input.all)
    .map((set) => set.filter((one) => here.has(one)))
    .filter((set) => set.length > 1);
  const hasStores = part.orchestrators.length > 0 || demand.heldOnEachNode().gpus > 0;
  const single = hasStores && storesHold ? part.applications.map((one) => [one]) : [];
  const sets = { meeting: unlike(meeting, demand), single: unlike(single, demand) };
  return { ...sets, all: [...sets.meeting, ...sets.single] };
}

/** The sets, without those that need as much room as one before them. */
function unlike(sets: readonly Applications[], demand: Demand): Applications[] {
  const found = new Map<string, Applications>();
  for (const set of sets) {
    const key = set
      .map((one) => JSON.stringify(demand.piece(one)))
      .sort()
      .join();
    if (!found.has(key)) found.set(key, set);
  }
  return [...found.values()];
}
