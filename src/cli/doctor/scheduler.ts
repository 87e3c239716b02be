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

/** The scheduler whose commands are on the PATH, if there is one; of several, which others may have left, the first that answers. */
export async function probeScheduler(): Promise<Probed<SchedulerFacts | undefined>> {
  const found = probed.filter((_, index) => findOnPath(submits[index] ?? '', process.env['PATH']) !== undefined);
  const answers = await Promise.all(found.flatMap(({ probe }) => probe?.(ask) ?? []));
  const answer = answers.find(({ facts }) => facts.answers) ?? answers[0];
  if (answer !== undefined) return answer;
  const message = `none: ${noScheduler}, so workflows run on this machine`;
  return { facts: undefined, findings: [{ topic: 'Scheduler', verdict: 'ok', message }] };
}
