import { findOnPath } from '../../runtime/assert/programs.js';
import type { Probed, SchedulerFacts } from '../../targets/probe.js';
import { targets } from '../../targets/registry.js';
import type { Target } from '../../targets/target.js';
import { ask } from './ask.js';

/** Targets that can be asked about themselves. */
const probed = (Object.values(targets) as Target[]).filter(({ probe }) => probe !== undefined);

/** Programs to submit with, one for each of them. */
const submits = probed.map(({ queries }) => queries?.submit ?? '');

const listed = [...new Set(submits)];

/** Says that no scheduler's program to submit with is there. */
export const noScheduler = `no ${listed.slice(0, -1).join(', ')} or ${listed.at(-1)} on the PATH`;

/** The scheduler whose commands are on the PATH, if there is one: of several, some of which may share a command's name, the first that answers. */
export async function probeScheduler(): Promise<Probed<SchedulerFacts | undefined>> {
  const found = probed.filter((_, index) => findOnPath(submits[index] ?? '', process.env['PATH']) !== undefined);
  const all = await Promise.all(found.flatMap(({ probe }) => probe?.(ask) ?? []));
  const first = all.find(({ facts }) => facts.answers) ?? all[0];
  if (first !== undefined) return first;
  const message = `none: ${noScheduler}, so workflows run on this machine`;
  return { facts: undefined, findings: [{ topic: 'Scheduler', verdict: 'ok', message }] };
}
