import { counted, WorkflowError } from '../../diagnostics/index.js';
import { type Entity, hasNumbers, type Plan } from '../../ir/index.js';
import { allowHosts } from '../allow/allow-hosts.js';
import { assertForLaunch, assertRunFolder } from '../assert/assert-job.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { entityOf, jobOf, readPlan, storeOf } from '../job/read-plan.js';
import { lockScheduler } from '../scheduler/lock-scheduler.js';
import { MembersFile, StatusReader, StatusWriter } from '../status/index.js';
import type { ControlClient } from '../supervisor/control-client.js';
import { watchStores } from '../supervisor/watch-stores.js';
import type { Application } from './application.js';
import { membersAtATime, onGroup, onScriptHost, startsHere } from './hosts.js';
import { linkModules } from './link-modules.js';
import { type Meeting, MetStores } from './meet-stores.js';
import { memberHosts } from './member-hosts.js';
import { passOnWarnings } from './pass-on-warnings.js';
import { type LaunchHosts, launchHosts } from './pool/launch-hosts.js';
import { RayService } from './ray-service.js';
import { RayUse } from './ray-use.js';
import { Restarts } from './restarts.js';
import { runAgain } from './run-again.js';
import { countStates, type MembersOutcome, runMembers } from './run-members.js';
import { type Settled, settle } from './settle.js';
import { Stager } from './stage.js';
import { chooseStarter } from './starters/index.js';
import { stepsOf } from './steps/running-steps.js';
import { StepSignaller } from './steps/step-signaller.js';
import { StepWatch } from './steps/step-watch.js';
import { describeStop, exitCodeOfStop, type StopReason, StopRequest } from './stop-request.js';
import { stopWithJob } from './stop-with-job.js';
import { ownStore, type SeenStore } from './store-addresses.js';
import { waitForEvents } from './wait-for-events.js';
import { waitForKeys } from './wait-for-keys.js';
import { namesItsHosts } from './words.js';

/** Options of `launch`. */
export interface LaunchOptions {
  readonly entity: string;
  /** One member; otherwise all, or those of `element`. */
  readonly member: number | undefined;
  /** The members of one element of the job array. */
  readonly element?: number | undefined;
  /** Members at a time; otherwise as many as fit. */
  readonly atMost: number | undefined;
  readonly line: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Prints a problem. */
  readonly report: (problem: unknown) => void;
}

/**
 * Runs an entity's members: waits for what it is `.after`, stages, launches, records. Returns 0 or the highest exit code of its
 * applications, 124 at the deadline.
 */
export async function launch(job: JobEnvironment, options: LaunchOptions): Promise<number> {
  const plan = readPlan(job.dir);
  const entity = entityOf(plan, options.entity);
  checkMember(entity, options.member);
  assertRunFolder(job, plan, entity, options);
  const stop = new StopRequest();
  const running = new Set<Application>();
  const ends = [stopWithJob(job, plan, stop), passOnWarnings(job, plan, running)];
  const writer = new StatusWriter(job, plan, entity, options.member);
  const members = new MembersFile(job, plan);
  try {
    assertForLaunch(job, plan, entity, options);
    members.keep();
    const exit = await launchWatched(job, plan, entity, options, { stop, running, writer, members });
    const hosts = await memberHosts(plan.target, entity, indicesOf(plan, job, entity, options), { job, ...options });
    writer.launch({ launch: 'ended', exit, ...hosts });
    const unwritten = writer.unwritten();
    if (unwritten === undefined) return exit;
    options.report(unwritten);
    return Math.max(exit, 1);
  } catch (error) {
    const isSkip = error instanceof WorkflowError && error.code === 'RUN1009';
    const reason = error instanceof Error ? error.message : String(error);
    writer.launch({ launch: isSkip ? 'skipped' : 'ended', exit: 1, reason });
    throw error;
  } finally {
    for (const end of ends) end();
    writer.close();
    await members.close();
  }
}

interface Watched {
  readonly stop: StopRequest;
  readonly running: Set<Application>;
  readonly writer: StatusWriter;
  readonly members: MembersFile;
}

async function launchWatched(
  job: JobEnvironment,
  plan: Plan,
  entity: Entity,
  options: LaunchOptions,
  { stop, running, writer, members }: Watched,
): Promise<number> {
  const supervisor = await watchOwnStores(job, plan, entity, stop);
  const say = (reason: string) => {
    process.stderr.write(`simwright: ${entity.name} ${reason}\n`);
    writer.launch({ launch: 'waiting', reason });
  };
  const met = new MetStores({ job, plan, entity, stop, say });
  let hosts: LaunchHosts | undefined;
  let ray: RayUse | undefined;
  try {
    const reader = new StatusReader(job.dir);
    writer.launch({ launch: 'waiting' });
    const stores = await findStores(met, { job, plan, entity, stop });
    const restarts = new Restarts({ job, plan, entity, stores, reader });
    const wait = async () => {
      await waitForEvents(job, plan, entity, reader, stop, restarts);
      await waitForKeys(job, plan, entity, stores, reader, stop);
    };
    await wait();
    linkModules(job.dir);
    // A member that waits for an ensemble of this job may read how its members ended; other jobs have written that at their ends.
    if (waitsForMembers(job, plan, entity)) await members.update().catch(() => undefined);
    const place = startsHere(options.line) ? onScriptHost(job) : onGroup(job, jobOf(plan, job.job), entity.group);
    const indices = indicesOf(plan, job, entity, options).filter(
      (index) => job.members?.has(entity.name, index) ?? true,
    );
    const { walltimeSeconds } = jobOf(plan, job.job).allocation;
    const taker = { job, walltimeSeconds, scheduler: lockScheduler(plan.target, options.env) };
    const settleAll = async () => {
      const settled = await settle({ job, plan, entity, reader, writer, taker, stop }, indices);
      writer.launch({ launch: 'launching' });
      return settled;
    };
    // A copy, since each access to the process's own environment costs a call.
    const env = { ...options.env };
    const stager = new Stager(job.dir, entity);
    const steps = stepsOf(plan.target, options.line);
    const signaller = steps && new StepSignaller(steps, env);
    const choosesHosts = job.hosts.length > 1 && !namesItsHosts(options.line);
    const stepWatch = steps && choosesHosts ? new StepWatch(steps, env) : undefined;
    const { line, member, report } = options;
    hosts = launchHosts({ job, plan, entity, line, member, env, stop, report });
    const ofMembers = hosts;
    const run = async ({ decisionOf }: Settled, some: readonly number[]): Promise<MembersOutcome> => {
      // The cluster runs only where one of its users does.
      if (some.length > 0) ray ??= await RayUse.find({ job, plan, entity, stop });
      const atMost = Math.min(options.atMost ?? membersAtATime(place, entity.size), some.length);
      const starter = chooseStarter(env, some.length, Math.max(1, atMost));
      const fixed = {
        job,
        plan,
        entity,
        line,
        stores,
        env,
        taker,
        reader,
        writer,
        stager,
        signaller,
        stepWatch,
        hosts: ofMembers,
        ray,
        openService: () =>
          entity.ray === undefined ? undefined : new RayService({ job, plan, entity, stop, env, report }),
      };
      const context = { ...fixed, decisionOf, starter, restarts, stop, running, report };
      return runMembers(context, some, atMost).finally(() => starter.close());
    };
    const settled = await settleAll();
    const first = withDone(await run(settled, settled.toRun), indices, settled);
    const outcome = await runAgain({ entity, restarts, writer, stop, wait, settle: settleAll, run }, first);
    process.stdout.write(`${describe(entity, indices.length, outcome, stop.reason)}\n`);
    return exitCode(indices.length, outcome, stop.reason, options.report);
  } finally {
    hosts?.close();
    ray?.close();
    met.close();
    supervisor?.close();
  }
}

/** True if an entity waits for an ensemble of this job, or a member of one. */
function waitsForMembers(job: JobEnvironment, plan: Plan, { after }: Entity): boolean {
  const ensembles = plan.entities.filter((one) => hasNumbers(one) && one.job === job.job);
  return after.some((one) => ensembles.some(({ name }) => one.name === name || one.name.startsWith(`${name}_`)));
}

/** Where the stores are that the entity sees, those of other jobs once they answer. */
async function findStores(
  met: MetStores,
  { job, plan, entity, stop }: Pick<Meeting, 'job' | 'plan' | 'entity' | 'stop'>,
): Promise<SeenStore[]> {
  const stores = entity.stores.map((name) => storeOf(plan, name));
  const own = jobOf(plan, job.job).stores;
  await allowHosts(job, plan, stores);
  if (stop.reason !== undefined) return [];
  const seen = await Promise.all(
    stores.map((store) => (own.includes(store.name) ? ownStore(job, entity, store) : met.meet(store))),
  );
  return seen.filter((store) => store !== undefined);
}

/** Watches the stores of its own job that the entity uses; undefined if there are none. */
async function watchOwnStores(
  job: JobEnvironment,
  plan: Plan,
  entity: Entity,
  stop: StopRequest,
): Promise<ControlClient | undefined> {
  const own = jobOf(plan, job.job).stores;
  const stores = entity.stores.filter((store) => own.includes(store));
  if (stores.length === 0) return undefined;
  return await watchStores(job, stores, (problem) => stop.request({ kind: 'store', problem }));
}

/** Adds members that stay as they are. */
function withDone(outcome: MembersOutcome, indices: readonly number[], { decisionOf }: Settled): MembersOutcome {
  const done = indices.filter((index) => decisionOf(index).reason === undefined);
  return {
    ...outcome,
    states: new Map([...done.map((index) => [index, 'completed-before'] as const), ...outcome.states]),
  };
}

function exitCode(
  total: number,
  outcome: MembersOutcome,
  stopped: StopReason | undefined,
  report: (problem: unknown) => void,
): number {
  if (stopped === undefined) return outcome.exit;
  if ('problem' in stopped) report(stopped.problem);
  const unended = countStates(outcome).interrupted + total - outcome.states.size;
  if (unended === 0 && !('problem' in stopped)) return outcome.exit;
  return stopped.kind === 'deadline' ? 124 : Math.max(outcome.exit, exitCodeOfStop(stopped));
}

function describe(entity: Entity, total: number, outcome: MembersOutcome, stopped: StopReason | undefined): string {
  const counts = countStates(outcome);
  const notStarted = total - outcome.states.size;
  if (total === 0) return `${entity.name}: none of its members was asked for`;
  const parts = [
    counts.completed > 0 ? `${counts.completed} completed` : '',
    counts['completed-before'] > 0 ? `${counts['completed-before']} completed before, skipped` : '',
    counts.failed > 0 ? `${counts.failed} failed` : '',
    counts.interrupted > 0 ? `${counts.interrupted} interrupted` : '',
    counts.held > 0 ? `${counts.held} being run by others` : '',
    notStarted > 0 ? `${notStarted} not started` : '',
  ].filter((part) => part !== '');
  const of = hasNumbers(entity) ? ` (${counted(total, 'member')})` : '';
  const why = stopped === undefined ? '' : `; ${describeStop(stopped)}`;
  return `${entity.name}${of}: ${parts.join(', ')}${why}`;
}

function checkMember(entity: Entity, member: number | undefined): void {
  if (member === undefined || member < entity.members.count) return;
  throw new WorkflowError({
    code: 'RUN1013',
    message: `${entity.name} has no member ${member}: its members are 0 to ${entity.members.count - 1}`,
  });
}

/** The members that a launch is for: one, those of an element of the job array, or all. */
function indicesOf(plan: Plan, job: JobEnvironment, entity: Entity, { member, element }: LaunchOptions): number[] {
  if (member !== undefined) return [member];
  const { count } = entity.members;
  if (element === undefined) return range(0, count);
  const { perElement, size } = jobOf(plan, job.job).array ?? { perElement: 1, size: count };
  if (element < size) return range(element * perElement, Math.min((element + 1) * perElement, count));
  throw new WorkflowError({
    code: 'RUN1013',
    message: `job ${job.job} has no element ${element}: its elements are 0 to ${size - 1}`,
  });
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
