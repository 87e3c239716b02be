import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Plan } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { ownIdentity } from '../job/process-identity.js';
import { ClusterFiles, type ClusterReady, type NodeFailure } from '../ray/cluster-files.js';
import type { ApplicationEnd } from './application.js';
import { describeStop, StopRequest } from './stop-request.js';
import { untilUsersEnd } from './users-end.js';

/** Milliseconds between two looks at what the nodes say. */
const lookMs = 250;

/** Variables that belong to a process of the script's host, not to the job. */
const ofTheHost = ['SIMWRIGHT_SCRIPT_PID'];

/** A launch whose application is a Ray cluster. */
export interface RayLaunch {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly entity: Entity;
  readonly stop: StopRequest;
  readonly env: NodeJS.ProcessEnv;
  /** Prints a problem. */
  readonly report: (problem: unknown) => void;
}

/** A start of a Ray cluster, beside the process that its launcher is: readiness, failures of nodes, and an end with its last user. */
export class RayService {
  readonly #launch: RayLaunch;
  readonly #files: ClusterFiles;
  readonly #id = randomBytes(6).toString('hex');
  /** Stops the launcher's process: when the launch stops, a node fails, or nobody uses the cluster any more. */
  readonly stop = new StopRequest();
  #failure: NodeFailure | undefined;
  #isUnused = false;
  #isReady = false;
  #isClosed = false;

  constructor(launch: RayLaunch) {
    this.#launch = launch;
    this.#files = new ClusterFiles(launch.job.dir, launch.entity.name);
    launch.stop.onRequest((reason) => this.stop.request(reason));
  }

  /** Writes the order and the token that the programs on the nodes read. */
  prepare(): void {
    const { entity, env } = this.#launch;
    const ofJob = Object.entries(env).filter(([name]) => name.startsWith('SIMWRIGHT_') && !ofTheHost.includes(name));
    const token = entity.ray?.auth === 'token' ? randomBytes(32).toString('hex') : undefined;
    this.#files.begin({ id: this.#id, env: Object.fromEntries(ofJob) as Record<string, string> }, token);
  }

  /** Watches the nodes until the end; calls `onReady` once with the hosts of the cluster when all have joined. */
  async watch(onReady: (hosts: readonly string[]) => void): Promise<void> {
    while (!this.#isClosed && this.stop.reason === undefined) {
      const failure = this.#files.failure(this.#id);
      if (failure !== undefined) return this.#onFailure(failure);
      const ready = this.#isReady ? undefined : this.#files.ready(this.#id);
      if (ready !== undefined) {
        this.#publish(ready);
        onReady(ready.hosts);
        void this.#untilUnused();
      }
      await sleep(lookMs);
    }
  }

  /** The end of the launcher's process as that of the cluster: in order when its users have ended, a failure when it was not told to. */
  outcome(end: ApplicationEnd): ApplicationEnd {
    this.#isClosed = true;
    if (this.#isUnused) return { exit: 0, signal: undefined, wasStopped: false };
    this.#failure ??= this.#files.failure(this.#id);
    const told = this.#launch.stop.reason;
    if (told !== undefined && this.#failure === undefined) return end;
    const problem = this.#problem();
    this.#launch.report(problem);
    const reason = problem.message;
    return { exit: end.exit === 0 || end.wasStopped ? 1 : end.exit, signal: undefined, wasStopped: false, reason };
  }

  /** Takes the cluster's files away, and tells those who use it that it has ended. */
  close(): void {
    this.#isClosed = true;
    const { job, stop } = this.#launch;
    const told = stop.reason === undefined ? undefined : describeStop(stop.reason);
    const reason = this.#isUnused ? 'all that use it have ended' : (told ?? this.#problem().message);
    this.#files.announceEnd({ id: this.#id, jobId: job.jobId, reason });
    this.#files.clear();
  }

  /** The failure of the cluster as a problem. */
  #problem(): WorkflowError {
    const { name } = this.#launch.entity;
    const where = this.#failure === undefined ? '' : ` on ${this.#failure.host}: ${this.#failure.reason}`;
    const what = this.#isReady ? 'failed' : 'did not start';
    return new WorkflowError({
      code: this.#isReady ? 'RUN1061' : 'RUN1060',
      message: `Ray cluster '${name}' ${what}${where === '' ? ': its programs have ended' : where}`,
      hint: `its output is run/${name}/${name}.out and .err, and Ray's own is in run/${name}/logs/`,
    });
  }

  #onFailure(failure: NodeFailure): void {
    this.#failure = failure;
    this.stop.request({ kind: 'ray', problem: this.#problem() });
  }

  #publish(ready: ClusterReady): void {
    const { job } = this.#launch;
    this.#isReady = true;
    const launch = { host: thisHost(), ...ownIdentity() };
    this.#files.publishAddress({ ...ready, id: this.#id, job: job.job, jobId: job.jobId, launch });
  }

  /** Ends the cluster when all that use it have; one without users stays. */
  async #untilUnused(): Promise<void> {
    const { job, plan, entity } = this.#launch;
    const users = plan.entities.filter(({ usesRay }) => usesRay === entity.name);
    if (users.length === 0) return;
    await untilUsersEnd(job, plan, users, this.stop);
    if (this.stop.reason !== undefined || this.#isClosed) return;
    this.#isUnused = true;
    this.stop.request({ kind: 'signal', signal: 'SIGTERM' });
  }
}
