import { InvalidArgumentError, Option } from 'commander';
import { Problems } from '../diagnostics/index.js';
import { costOf, type Job, type Plan } from '../ir/index.js';

/** The option by which a user limits what a workflow may cost. */
export function budgetOption(): Option {
  return new Option(
    '--budget <hours>',
    'fail if the jobs may be charged more node-hours than this, all members counted',
  ).argParser((text: string) => {
    const hours = Number(text);
    if (/^\d+(\.\d+)?$|^\.\d+$/.test(text) && Number.isFinite(hours)) return hours;
    throw new InvalidArgumentError('Say hours as a number: 12, 0.5.');
  });
}

/** Node-hours that all jobs may be charged at most; undefined if one of them has no walltime. */
export function chargedHoursOf(jobs: readonly Job[]): number | undefined {
  return jobs.reduce<number | undefined>((sum, job) => {
    const cost = costOf(job);
    return sum === undefined || cost === undefined ? undefined : sum + cost.chargedHours;
  }, 0);
}

/**
 * Nothing, if a plan's jobs cost no more than that.
 *
 * @throws WorkflowError QUEUE1002 if they may cost more, or if nobody knows.
 */
export function keepBudget({ jobs }: Plan, budget: number | undefined): void {
  if (budget === undefined) return;
  const problems = new Problems();
  for (const job of jobs) {
    if (costOf(job) !== undefined) continue;
    const message = `job '${job.name}' has no walltime, so nobody knows if it keeps the budget of ${hours(budget)}`;
    problems.error('QUEUE1002', message, undefined, "give it one with .batch({ walltime: '02:00:00' })");
  }
  problems.throwIfErrors();
  const charged = chargedHoursOf(jobs) ?? 0;
  if (charged <= budget) return;
  const [dearest] = [...jobs].sort((a, b) => (costOf(b)?.chargedHours ?? 0) - (costOf(a)?.chargedHours ?? 0));
  const most = dearest === undefined ? 0 : (costOf(dearest)?.chargedHours ?? 0);
  problems.error(
    'QUEUE1002',
    `the jobs may be charged ${hours(charged)}, and the budget is ${hours(budget)}`,
    undefined,
    `the dearest is '${dearest?.name}' with ${hours(most)}: lower its nodes, walltime or members, or name another queue`,
  );
  problems.throwIfErrors();
}

function hours(amount: number): string {
  return `${amount.toFixed(2)} node-hours`;
}
