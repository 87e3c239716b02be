import type { Plan } from '../ir/index.js';
import { type Step, sharesOf } from './launches.js';
import { planName } from './machine/deadlocks.js';
import type { Machine } from './machine/machine.js';
import type { Finding, RunRecord, StepRecord } from './record.js';
import { exitOf } from './step-runner.js';

/** Fields that have a value. */
function known<Fields extends object>(fields: Fields): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** Runs of all jobs, in the order of their submission. */
export function runRecords(plan: Plan, machine: Machine): RunRecord[] {
  return machine.jobs.flatMap((job) =>
    [...job.earlier, ...job.runs].map(
      ({ index, state, exitCode, waitsFor, startedAt, endedAt, nodes, lost, ...run }) => ({
        job: planName(plan, job) ?? job.request.name,
        id: job.id,
        state,
        submittedAt: job.submittedAt,
        ...known({ index, exitCode, waitsFor, startedAt, endedAt, requeued: run.isRequeued || undefined }),
        nodes: [...nodes, ...lost].map(({ name, cpus, gpus }) => ({ name, cpus, gpus })),
      }),
    ),
  );
}

/** All launches of stores and applications, in the order in which they were asked for. */
export function stepRecords(plan: Plan, steps: readonly Step[]): StepRecord[] {
  return steps.flatMap(({ kind, ...step }): StepRecord[] =>
    kind === 'addresses' ? [] : [stepRecord(plan, step, kind)],
  );
}

function stepRecord(plan: Plan, step: Omit<Step, 'kind'>, kind: StepRecord['kind']): StepRecord {
  return {
    job: planName(plan, step.run.job) ?? step.run.job.request.name,
    id: step.run.job.id,
    number: step.number,
    name: kind === 'store' ? (step.entity ?? step.name) : step.name,
    kind,
    askedAt: step.askedAt,
    ...known({
      index: step.run.index,
      startedAt: step.startedAt,
      endedAt: step.endedAt,
      exitCode: step.startedAt === undefined ? undefined : exitOf(step),
    }),
    nodes: [...sharesOf({ ...step.launch, ranks: step.launch.ranks })].map(([name]) => {
      const own = step.launch.ranks.filter(({ node }) => node === name);
      const sum = (part: 'cpus' | 'gpus') => own.reduce((all, rank) => all + rank[part], 0);
      return { name, cpus: sum('cpus'), gpus: Math.round(sum('gpus')), ranks: own.length };
    }),
    overlaps: step.launch.overlaps,
  };
}

/** Faults that show when all is over: exit codes that were lost, jobs that ran or did not against the plan. */
export function findingsAtEnd(
  plan: Plan,
  runs: readonly RunRecord[],
  steps: readonly StepRecord[],
  wasStopped: boolean,
): Finding[] {
  if (wasStopped) return [];
  const last = runs.filter(({ requeued }) => requeued !== true);
  const lost = last.flatMap((run): Finding[] => {
    if (run.state !== 'completed') return [];
    const own = steps.filter((step) => step.id === run.id && step.index === run.index && step.kind === 'application');
    // The last of several attempts counts.
    const attempts = new Map(own.map((step) => [step.name, step]));
    const bad = [...attempts.values()].find(({ exitCode = 0 }) => exitCode !== 0);
    if (bad === undefined) return [];
    return [
      {
        kind: 'lost exit code',
        where: `job ${run.job}`,
        what: `${bad.name} ended with exit code ${bad.exitCode}, and the job with 0`,
      },
    ];
  });
  return [...lost, ...plan.jobs.flatMap((job) => againstPlan(job, last))];
}

/** A job that never ran though all that it waits for came, or that ran though it did not. */
function againstPlan(job: Plan['jobs'][number], runs: readonly RunRecord[]): Finding[] {
  const ofJob = (name: string) => runs.filter((run) => run.job === name);
  const own = ofJob(job.name);
  if (own.length === 0 || job.after.length === 0) return [];
  const ran = own.some(({ startedAt }) => startedAt !== undefined);
  const unmet = job.after.find(({ job: other, event }) => !isMet(event, ofJob(other)));
  if (!ran && unmet === undefined) {
    return [
      { kind: 'never run', where: `job ${job.name}`, what: 'it never ran, though all that it waits for has come' },
    ];
  }
  if (!ran || unmet === undefined) return [];
  return [
    {
      kind: 'never run',
      where: `job ${job.name}`,
      what: `it ran, though job ${unmet.job} is not ${unmet.event}`,
    },
  ];
}

function isMet(event: Plan['jobs'][number]['after'][number]['event'], runs: readonly RunRecord[]): boolean {
  switch (event) {
    case 'started':
      return runs.some(({ startedAt }) => startedAt !== undefined);
    case 'completed':
      return runs.every(({ state }) => state === 'completed');
    case 'failed':
      return runs.some(({ state }) => state === 'failed' || state === 'timeout' || state === 'node_fail');
    case 'ended':
      return runs.every(({ endedAt }) => endedAt !== undefined);
    default:
      return event satisfies never;
  }
}
