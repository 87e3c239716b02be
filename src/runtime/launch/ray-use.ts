import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Plan } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { isAlive } from '../job/process-identity.js';
import { entityOf, jobOf } from '../job/read-plan.js';
import { type ClusterAddress, ClusterFiles, tokenFile } from '../ray/cluster-files.js';
import type { StopRequest } from './stop-request.js';

/** Milliseconds between two looks at whether the cluster is still there. */
const lookMs = 500;

/** Looks in a row that may miss the cluster's address: a network file system may be away for a while. */
const mostMissed = 20;

/** Milliseconds in which what another host has written is sure to be seen on a shared file system. */
const settleMs = 60_000;

/** A launch whose entity uses a Ray cluster. */
interface RayUser {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly entity: Entity;
  readonly stop: StopRequest;
}

/** The Ray cluster that a launch's entity uses, which has started. */
export class RayUse {
  readonly #user: RayUser;
  readonly #cluster: Entity;
  readonly #address: ClusterAddress;
  readonly #timer: NodeJS.Timeout;

  private constructor(user: RayUser, cluster: Entity, address: ClusterAddress, files: ClusterFiles) {
    this.#user = user;
    this.#cluster = cluster;
    this.#address = address;
    let missed = 0;
    this.#timer = setInterval(() => {
      missed = files.address()?.id === address.id ? 0 : missed + 1;
      const gone = whyGone(files, address, missed > mostMissed);
      if (gone !== undefined) user.stop.request({ kind: 'ray', problem: failed(cluster.name, gone) });
    }, lookMs);
  }

  /** Finds the cluster that an entity uses; undefined if it uses none, or at a stop request. Throws RUN1061 for one that is not there any more. */
  static async find(user: RayUser): Promise<RayUse | undefined> {
    const { job, plan, entity, stop } = user;
    if (entity.usesRay === undefined) return undefined;
    const cluster = entityOf(plan, entity.usesRay);
    const files = new ClusterFiles(job.dir, cluster.name);
    for (const end = performance.now() + settleMs; stop.reason === undefined; await sleep(lookMs)) {
      const address = files.address();
      const isOurs = address !== undefined && (cluster.job !== job.job || address.jobId === job.jobId);
      if (isOurs) return new RayUse(user, cluster, address, files);
      const ended = files.end();
      if (ended !== undefined || performance.now() > end)
        throw failed(cluster.name, ended?.reason ?? 'it says nowhere in run/clusters where it is');
    }
    return undefined;
  }

  /**
   * Variables by which a member finds the cluster. `hosts` are those that it runs on, where they are known. Throws RUN1062 where Ray cannot connect from there.
   */
  variables(hosts: readonly string[] | undefined): Record<string, string> {
    const { job } = this.#user;
    const { name, ray } = this.#cluster;
    const hasToken = ray?.auth === 'token';
    return {
      RAY_ADDRESS: this.#addressFrom(hosts),
      RAY_AUTH_MODE: hasToken ? 'token' : 'disabled',
      RAY_AUTH_TOKEN_PATH: hasToken ? tokenFile(job.dir, name) : '',
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Ray's own address on the cluster's nodes, elsewhere that of its client server. */
  #addressFrom(hosts: readonly string[] | undefined): string {
    const { address, client } = this.#address;
    if (this.#isInside(hosts)) return address;
    if (client !== undefined) return client;
    throw new WorkflowError({
      code: 'RUN1062',
      message: `'${this.#user.entity.name}' does not run on nodes of Ray cluster '${this.#cluster.name}', and the cluster has no client server`,
      hint: `say .sharesNodesWith('${this.#cluster.name}'), or install Ray's client: pip install 'ray[client]'`,
    });
  }

  #isInside(hosts: readonly string[] | undefined): boolean {
    const { job, plan, entity } = this.#user;
    if (hosts !== undefined) return hosts.every((host) => this.#address.hosts.includes(shortName(host)));
    // The launcher chooses among the nodes of a group: the cluster's own, if these are all of it.
    if (this.#cluster.job !== entity.job || this.#cluster.group !== entity.group) return false;
    return jobOf(plan, job.job).groups[entity.group]?.nodes === this.#cluster.size.nodes;
  }
}

/** Why a cluster is not there any more; undefined while it is. */
function whyGone(files: ClusterFiles, { id, launch }: ClusterAddress, isMissing: boolean): string | undefined {
  const end = files.end();
  if (end?.id === id) return end.reason;
  if (launch.host === thisHost() && !isAlive(launch)) return 'its launch has gone';
  return isMissing ? 'it has ended without a word' : undefined;
}

function failed(cluster: string, reason: string): WorkflowError {
  const message = reason.includes(`'${cluster}'`)
    ? reason
    : `Ray cluster '${cluster}' is not there any more: ${reason}`;
  return new WorkflowError({ code: 'RUN1061', message, hint: `its output is in run/${cluster}/` });
}

function shortName(host: string): string {
  return host === 'localhost' ? thisHost() : (host.split('.')[0] ?? host);
}
