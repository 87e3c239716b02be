import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { type Entity, memberArgs, memberDigest, memberName, memberParams, type Plan } from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { type LockTaker, MemberLock } from '../job/member-lock.js';
import { memberPath } from '../job/paths.js';
import { keepOutput, tellingLine } from '../output/index.js';
import { type Decision, describeReason, moveAside } from '../rerun/index.js';
import type { MemberEvent, MemberState, StatusReader, StatusWriter } from '../status/index.js';
import { Application, type ApplicationEnd } from './application.js';
import { startsHere } from './hosts.js';
import { pythonPackages } from './link-modules.js';
import { memberEnvironment } from './member-environment.js';
import type { LaunchHosts, TakenHosts } from './pool/launch-hosts.js';
import type { RayService } from './ray-service.js';
import type { RayUse } from './ray-use.js';
import type { Restarts } from './restarts.js';
import type { Stager } from './stage.js';
import type { Starter } from './starters/index.js';
import type { StepSignaller } from './steps/step-signaller.js';
import type { StepWatch } from './steps/step-watch.js';
import { describeStop, exitCodeOfStop, type StopRequest } from './stop-request.js';
import type { SeenStore } from './store-addresses.js';
import { StoreUses } from './store-uses.js';
import { fillWords, namesItsHosts, withVariables } from './words.js';

/** Facts that the members of one launch share. */
export interface LaunchContext {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly entity: Entity;
  readonly line: readonly string[];
  readonly stores: readonly SeenStore[];
  readonly env: NodeJS.ProcessEnv;
  readonly taker: LockTaker;
  /** The decision on a member, made before the first member started. */
  readonly decisionOf: (index: number) => Decision;
  readonly reader: StatusReader;
  readonly writer: StatusWriter;
  readonly stager: Stager;
  readonly starter: Starter;
  /** Tells applications to end, where signals to their launcher do not. */
  readonly signaller: StepSignaller | undefined;
  /** Finds out where steps run, where the scheduler chooses among several hosts. */
  readonly stepWatch: StepWatch | undefined;
  readonly hosts: LaunchHosts;
  readonly restarts: Restarts;
  /** The Ray cluster that members use. */
  readonly ray: RayUse | undefined;
  /** Opens the service that an application is, for one attempt; undefined for one that is none. */
  readonly openService: () => RayService | undefined;
  readonly stop: StopRequest;
  /** Running applications, to which signals are passed on. */
  readonly running: Set<Application>;
  readonly report: (problem: unknown) => void;
}

/** Outcome of a member: `completed-before` if it did not run again, `staged` if it is to run again in this launch. */
export interface MemberOutcome {
  readonly state: MemberState | 'completed-before' | 'held';
  readonly exit: number;
}

/** An event of an attempt, without the fields that all its events share. */
type AttemptEvent = Omit<Parameters<StatusWriter['member']>[0], 'index' | 'member' | 'params' | 'attempt'>;

/** Runs one member from its lock to its last status line. Problems are reported, never thrown. */
export async function runMember(context: LaunchContext, index: number): Promise<MemberOutcome> {
  const { job, entity } = context;
  const directory = memberPath(job.dir, entity, index);
  let lock: MemberLock;
  try {
    lock = await MemberLock.take(directory, context.taker);
  } catch (error) {
    context.report(error);
    return { state: error instanceof WorkflowError ? 'held' : 'failed', exit: 1 };
  }
  try {
    const decision = decisionUnderLock(context, index, directory);
    if (decision.reason === undefined) return { state: 'completed-before', exit: 0 };
    let outcome = await runAttempt(context, index, directory, decision);
    for (let attempt = 0; attempt < job.retries && outcome.state === 'failed'; attempt++) {
      // Those who use a cluster have been told that it failed.
      if (context.stop.reason !== undefined || entity.ray !== undefined) break;
      outcome = await runAttempt(context, index, directory, { ...decision, anew: false });
    }
    return outcome;
  } catch (error) {
    context.report(error);
    return { state: 'failed', exit: 1 };
  } finally {
    lock.release();
  }
}

/** The decision on a member, made again if the previous holder of its lock has run it since. */
function decisionUnderLock(
  { plan, entity, reader, decisionOf }: LaunchContext,
  index: number,
  directory: string,
): Decision {
  const decision = decisionOf(index);
  // A member without a directory has no results that count.
  if (!existsSync(directory)) return { ...decision, anew: true };
  const before = reader.of(entity.name).members.get(index);
  reader.refresh();
  const event = reader.of(entity.name).members.get(index);
  if (event === undefined || event === before) return decision;
  if (event.digest !== memberDigest(plan, entity, index)) return { ...decision, anew: true };
  return event.state === 'completed' ? { index, event, anew: false } : { ...decision, event, anew: false };
}

async function runAttempt(
  context: LaunchContext,
  index: number,
  directory: string,
  decision: Decision,
): Promise<MemberOutcome> {
  const { job, entity, writer, stop } = context;
  const member = memberName(entity, index);
  const params = memberParams(entity.members, index);
  let attempt: number;
  try {
    const note = { entity: entity.name, member, why: whyAside(decision) };
    const giveWay = () => moveAside(job.dir, directory, note, resultThere(context, index));
    context.stager.stage(directory, params, decision.anew ? giveWay : undefined);
    attempt = keepOutput(directory, member);
  } catch (error) {
    context.report(error);
    writer.member({ index, member, params, state: 'failed', exit: 1, reason: messageOf(error) });
    return { state: 'failed', exit: 1 };
  }
  const record = (event: AttemptEvent) => writer.member({ index, member, params, attempt, ...event });
  record({ state: 'staged' });
  const taken = await context.hosts.take((reason) => record({ state: 'staged', reason }));
  if (taken === undefined) {
    record({ state: 'interrupted', ...(stop.reason === undefined ? {} : { reason: describeStop(stop.reason) }) });
    return { state: 'interrupted', exit: stop.reason === undefined ? 1 : exitCodeOfStop(stop.reason) };
  }
  const started = performance.now();
  const service = context.openService();
  try {
    service?.prepare();
    const args = memberArgs(entity.asArgs, params);
    const uses = new StoreUses(context.stores);
    const begin = context.restarts.begin();
    if (taken.resources !== undefined) {
      const path = join(directory, taken.resources.file);
      writeFileSync(path, taken.resources.fill(readFileSync(path, 'utf8')));
    }
    let host = hostOf(context, taken);
    const line = withVariables(context.line, Object.keys(taken.variables), launcherOfProgram(context.line[0])?.passOn);
    const hosts = isOneMachine(context) ? [thisHost()] : taken.names;
    const process_ = await context.starter.start({
      line: fillWords(line, { args, dir: directory, name: member, hosts }),
      directory,
      name: member,
      variables: {
        ...memberEnvironment(
          context.plan,
          entity,
          context.stores,
          { index, directory, pythonPackages: pythonPackages(job.dir) },
          context.env,
        ),
        ...taken.variables,
        ...context.ray?.variables(hostsKnown(context, taken.names)),
      },
    });
    if (service === undefined) record({ state: 'running', ...host, ...uses.now() });
    else {
      const onReady = (names: readonly string[]) => record({ state: 'running', host: names.join(' '), ...uses.now() });
      void service.watch(onReady).catch(context.report);
    }
    const stepWatch = service === undefined ? context.stepWatch : undefined;
    const withdraw = stepWatch?.watch(process_.pid, (found) => {
      host = { host: found };
      record({ state: 'running', ...host, ...uses.now() });
    });
    const application = new Application(process_, job.killAfterMs, context.signaller);
    const ended = await endOf(application, context, service?.stop ?? stop).finally(withdraw);
    const end = service?.outcome(ended) ?? ended;
    const seconds = Math.round(performance.now() - started) / 1000;
    const state = stateOf(end);
    const used = uses.now();
    const reason = reasonOf(end, stop);
    const signal = end.signal === undefined ? {} : { signal: end.signal };
    const what = { exit: end.exit, ...signal, seconds, ...host };
    const loss = end.wasStopped ? undefined : context.restarts.loss(begin);
    if (loss !== undefined && (loss.isAwaited || state === 'completed')) {
      // The member may have read wrong data, or missed data that had been there.
      const outcome = loss.isAwaited ? 'staged' : 'interrupted';
      record({ state: outcome, ...what, reason: loss.reason });
      return { state: outcome, exit: loss.isAwaited ? 0 : 1 };
    }
    const cause = state === 'failed' ? causeOf(directory, member) : {};
    record({ state, ...what, ...reason, ...cause, ...used });
    return { state, exit: end.exit };
  } catch (error) {
    const problem = cannotStart(context.line[0] ?? '', member, error);
    context.report(problem);
    const exit = isMissing(error) ? 127 : 126;
    record({ state: 'failed', exit, reason: messageOf(problem) });
    return { state: 'failed', exit };
  } finally {
    service?.close();
    taken.give();
  }
}

/** The last event of the member whose directory is there, if it had completed and may come back one day. */
function resultThere({ job, entity, reader }: LaunchContext, index: number): MemberEvent | undefined {
  const event = reader.of(entity.name).members.get(index);
  const isResult = event?.state === 'completed' && event.member === memberName(entity, index);
  return isResult && !job.fresh ? event : undefined;
}

/** Why the directory that is there gives way. */
function whyAside({ reason }: Decision): string {
  return reason === undefined || reason.kind === 'new' ? 'another member is there now' : describeReason(reason);
}

/** Waits for an application's end, and meanwhile lets it have the job's signals. */
async function endOf(application: Application, { running }: LaunchContext, stop: StopRequest): Promise<ApplicationEnd> {
  running.add(application);
  try {
    return await application.ended(stop);
  } finally {
    running.delete(application);
  }
}

function reasonOf({ reason, wasStopped }: ApplicationEnd, stop: StopRequest): { reason?: string } {
  if (reason !== undefined) return { reason };
  return wasStopped && stop.reason !== undefined ? { reason: describeStop(stop.reason) } : {};
}

/** The line of its output that tells why a member failed, where there is one. */
function causeOf(directory: string, member: string): Pick<MemberEvent, 'cause'> {
  const cause = tellingLine(directory, member);
  return cause === undefined ? {} : { cause };
}

function stateOf({ exit, wasStopped }: ApplicationEnd): MemberState {
  if (wasStopped) return 'interrupted';
  return exit === 0 ? 'completed' : 'failed';
}

/** The host, where it is known: there is but one, or the launch line names those that were chosen. */
function hostOf({ job, line }: LaunchContext, { names: hosts, resources }: TakenHosts): { host?: string } {
  if (job.hosts.length === 1) return { host: hosts[0] === 'localhost' ? thisHost() : (hosts[0] ?? thisHost()) };
  return namesItsHosts(line) || resources !== undefined ? { host: hosts.join(' ') } : {};
}

/** The hosts that a member runs on, where the runtime knows them and they are not the launcher's choice. */
function hostsKnown(context: LaunchContext, hosts: readonly string[]): readonly string[] | undefined {
  const { job, line } = context;
  if (startsHere(line) || isOneMachine(context)) return [thisHost()];
  return job.hosts.length === 1 || namesItsHosts(line) ? hosts : undefined;
}

/** True if there is but this machine, so that its own name is better than that of the loopback. */
function isOneMachine({ job }: LaunchContext): boolean {
  return job.hosts.length === 1 && job.hosts[0] === 'localhost';
}

function cannotStart(program: string, member: string, error: unknown): WorkflowError {
  return new WorkflowError({
    code: 'RUN1010',
    message: `${member}: '${program}' cannot be started: ${messageOf(error)}`,
    hint: isMissing(error)
      ? 'it is not on the PATH of the job; load its module with .batch({ modules: […] }) or attach it'
      : 'is it executable, and are its arguments and environment short enough for the system?',
    cause: error,
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
