import { counted } from '../../diagnostics/index.js';
import type { Plan } from '../../ir/index.js';
import { type Step, type StepBooks, sharesOf } from '../launches.js';
import type { Finding } from '../record.js';
import type { LiveJob, LiveRun, Machine } from './machine.js';

/** The first dead-lock that there is: who waits, and who holds what it needs. Nothing that runs can solve it. */
export function deadlockOf(
  plan: Plan,
  machine: Machine,
  books: StepBooks,
  steps: readonly Step[],
): Finding | undefined {
  return ofSteps(plan, books, steps) ?? ofJobs(plan, machine, steps) ?? ofConditions(machine);
}

/** A launch that could not start even if every application beside it had ended: stores end after it, and so do those that read what it writes. */
function ofSteps(plan: Plan, books: StepBooks, steps: readonly Step[]): Finding | undefined {
  const live = steps.filter(({ endedAt, run }) => endedAt === undefined && run.state === 'running');
  for (const step of live.filter(({ startedAt }) => startedAt === undefined)) {
    const stays = (other: Step) => other.kind === 'store' || readsFrom(plan, other, step, steps);
    if (books.roomFor(step, (other) => !stays(other)) !== undefined) continue;
    const nodes = step.run.nodes.map(({ name }) => name);
    const holders = nodes.flatMap((node) =>
      books
        .of(step.run)
        .holdersOf(node)
        .filter(({ holder }) => stays(holder))
        .map(({ holder, share }) => `${title(holder)} holds ${amount(share)} of ${node} ${untilWhen(holder)}`),
    );
    const [share] = sharesOf(step.launch).values();
    const wants = `${title(step)} waits for ${share === undefined ? 'room' : amount(share)} on ${sharesOf(step.launch).size} of ${nodes.join(' ')}`;
    return {
      kind: 'dead-lock',
      where: `job ${step.run.job.request.name}`,
      what:
        holders.length === 0 ? `${wants}, more than the job has` : `${wants}, and ${[...new Set(holders)].join('; ')}`,
    };
  }
  return undefined;
}

function untilWhen({ kind }: Step): string {
  return kind === 'store' ? 'until the end of the job' : 'while it waits for what this one writes';
}

/** True if a launch that runs reads the keys of an entity of which nothing has started yet. */
function readsFrom(plan: Plan, reader: Step, writer: Step, steps: readonly Step[]): boolean {
  if (writer.entity === undefined || reader.entity === writer.entity) return false;
  const entity = plan.entities.find(({ name }) => name === reader.entity);
  const hasBegun = steps.some((step) => step.entity === writer.entity && step.startedAt !== undefined);
  return entity?.incoming.includes(writer.entity) === true && !hasBegun;
}

/** A job that waits for nodes held by others that wait for it. */
function ofJobs(plan: Plan, machine: Machine, steps: readonly Step[]): Finding | undefined {
  const pending = machine.jobs.flatMap(({ runs }) =>
    runs.filter(({ state, waitsFor }) => state === 'pending' && waitsFor === 'resources'),
  );
  for (const run of pending) {
    const name = planName(plan, run.job);
    const needs = (other: LiveRun) =>
      name !== undefined && needsOf(plan, machine, steps, planName(plan, other.job)).has(name);
    const holders = machine.holdersAgainst(run, (other) => !needs(other));
    if (holders === undefined) continue;
    const request = run.job.request;
    const nodes = request.components.reduce((sum, one) => sum + one.nodes, 0);
    const held = holders.map(
      (holder) =>
        `job ${holder.job.request.name} holds ${holder.nodes.map((node) => node.name).join(' ')} and waits for it`,
    );
    return {
      kind: 'dead-lock',
      where: `job ${request.name}`,
      what:
        held.length === 0
          ? `it waits for ${nodes} nodes, and the machine has fewer that work`
          : `it waits for ${nodes} nodes, and ${held.join('; ')}`,
    };
  }
  return undefined;
}

/** Jobs of the plan without which a job cannot go on, those that these need included. */
function needsOf(plan: Plan, machine: Machine, steps: readonly Step[], name: string | undefined): Set<string> {
  const found = new Set<string>();
  const visit = (one: string | undefined) => {
    for (const next of directNeeds(plan, machine, steps, one)) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(name);
  return found;
}

function directNeeds(plan: Plan, machine: Machine, steps: readonly Step[], name: string | undefined): string[] {
  const job = plan.jobs.find((one) => one.name === name);
  if (job === undefined) return [];
  const hasBegun = (entity: string) => steps.some((step) => step.entity === entity && step.startedAt !== undefined);
  const own = plan.entities.filter((entity) => entity.job === job.name);
  const awaited = own
    .filter((entity) => !hasBegun(entity.name))
    .flatMap(({ after }) => after.map((one) => entityOf(plan, one.name)?.job));
  const storesOfOthers = own.flatMap(({ stores }) =>
    plan.jobs.filter((other) => other.stores.some((store) => stores.includes(store))),
  );
  // A job with nothing but stores holds them until those who use them have ended.
  const users =
    job.entities.length > 0
      ? []
      : plan.entities.filter(({ stores }) => stores.some((store) => job.stores.includes(store))).map((one) => one.job);
  const all = [...awaited, ...storesOfOthers.map((one) => one.name), ...users, ...job.after.map((one) => one.job)];
  return [...new Set(all)].flatMap((one) =>
    one === undefined || one === job.name || hasEnded(plan, machine, one) ? [] : [one],
  );
}

/** An entity, or that of a member. */
function entityOf(plan: Plan, name: string) {
  return (
    plan.entities.find((one) => one.name === name) ??
    plan.entities.find((one) => one.name === name.replace(/_\d+$/, ''))
  );
}

function hasEnded(plan: Plan, machine: Machine, name: string): boolean {
  const jobs = machine.jobs.filter((job) => planName(plan, job) === name);
  return jobs.length > 0 && jobs.every(({ runs }) => runs.every(({ endedAt }) => endedAt !== undefined));
}

/** Name in the plan of a job, by its script. */
export function planName(plan: Plan, { request }: Pick<LiveJob, 'request'>): string | undefined {
  return plan.jobs.find(({ script }) => request.script === script || request.script.endsWith(`/${script}`))?.name;
}

/** Jobs that wait for what can never come, when nothing else is left. */
function ofConditions(machine: Machine): Finding | undefined {
  const alive = machine.jobs.flatMap(({ runs }) => runs.filter(({ endedAt }) => endedAt === undefined));
  const stuck = alive.filter(({ waitsFor }) => waitsFor === 'dependency never met' || waitsFor === 'hold');
  const [first] = stuck;
  const others = alive.filter((run) => !stuck.includes(run) && run.waitsFor !== 'dependency');
  if (first === undefined || others.length > 0) return undefined;
  const why = first.waitsFor === 'hold' ? 'it is held' : 'what it depends on can never come true';
  return { kind: 'dead-lock', where: `job ${first.job.request.name}`, what: `it waits for ever: ${why}` };
}

function title({ kind, name, entity }: Step): string {
  return kind === 'store' ? `store ${entity ?? name}` : name;
}

function amount({
  cpus,
  gpus,
  memoryMiB,
}: {
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryMiB: number;
}): string {
  const parts = [
    cpus > 0 ? counted(cpus, 'CPU') : '',
    gpus > 0 ? counted(gpus, 'GPU') : '',
    memoryMiB > 0 ? `${Math.round(memoryMiB)} MiB` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
