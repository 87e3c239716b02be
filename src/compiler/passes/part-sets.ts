import type { ApplicationDeclaration } from '../../ir/index.js';
import { meetings } from './lookup/meetings.js';
import type { Demand } from './part-demand.js';

type Applications = readonly ApplicationDeclaration[];

/** Sets of applications for which a part has to have room at one time: one member of each. */
export interface PartSets {
  /** Applications that have to run at the same time, as far as they run here. */
  readonly meeting: readonly Applications[];
  /** Applications of several such sets that may run at the same time: each set could hold what the other waits for. */
  readonly circles: readonly Applications[];
  /** Single ones, where stores may hold what they need. */
  readonly single: readonly Applications[];
  readonly all: readonly Applications[];
}

/** The sets of a part. On one machine nobody counts. `storesHold`: launches wait for CPUs and GPUs of stores. */
export function setsOf(demand: Demand, storesHold: boolean): PartSets {
  const { part, input } = demand;
  if (input.target.capabilities.oneNode) return { meeting: [], circles: [], single: [], all: [] };
  const here = new Set(part.applications);
  const meeting = meetings(input.all)
    .map((set) => set.filter((one) => here.has(one)))
    .filter((set) => set.length > 1);
  const hasStores = part.orchestrators.length > 0 || demand.heldOnEachNode().gpus > 0;
  const single = hasStores && storesHold ? part.applications.map((one) => [one]) : [];
  const sets = {
    meeting: unlike(meeting, demand),
    circles: unlike(circlesOf(meeting, demand), demand),
    single: unlike(single, demand),
  };
  return { ...sets, all: [...sets.meeting, ...sets.circles, ...sets.single] };
}

/** The sets of more applications are too many to look at. */
const mostInCircles = 32;

/**
 * The set of each circle that needs most, as far as these may run at the same time. Sets that share an application are of one circle: a
 * service meets its users one by one.
 */
function circlesOf(meeting: readonly Applications[], demand: Demand): readonly Applications[] {
  const all = [...new Set(meeting.flat())];
  const circles = connected(meeting);
  if (circles.length < 2 || all.length > mostInCircles) return [];
  const weight = (set: Applications) =>
    set.reduce((sum, one) => sum + demand.piece(one).nodes * (demand.piece(one).onNode.cpus + 1), 0);
  return demand.input.order.together(all).flatMap((set) => {
    const here = circles.flatMap((sets) => {
      const inside = sets.filter((one) => one.every((application) => set.includes(application)));
      return inside.length === 0 ? [] : [inside.reduce((most, one) => (weight(one) > weight(most) ? one : most))];
    });
    return here.length < 2 ? [] : [here.flat()];
  });
}

/** The sets by what they share, directly or over others. */
function connected(sets: readonly Applications[]): Applications[][] {
  return sets.reduce<Applications[][]>((groups, set) => {
    const isShared = (group: readonly Applications[]) =>
      group.some((one) => one.some((application) => set.includes(application)));
    return [...groups.filter((group) => !isShared(group)), [...groups.filter(isShared).flat(), set]];
  }, []);
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
