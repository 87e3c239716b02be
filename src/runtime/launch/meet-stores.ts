import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Plan, Store } from '../../ir/index.js';
import { type JobEnvironment, jobIdForPath } from '../job/job-environment.js';
import { jobOfStore } from '../job/read-plan.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import { readEnd, readSharedAddress } from '../store-files/address-file.js';
import type { StoreAddress } from '../store-files/store-address.js';
import type { StopRequest } from './stop-request.js';
import { type SeenStore, seenStore } from './store-addresses.js';
import type { StoreLink } from './store-link.js';

/** Milliseconds between two looks for a store. */
const pauseMs = 100;

/** Milliseconds in which a store that is started again has to be back. */
const restartMs = 60_000;

/** Milliseconds in which the job of a store that has gone may say why. */
const reasonMs = 200;

/** A launch that uses stores of other jobs. */
export interface Meeting {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly entity: Entity;
  readonly stop: StopRequest;
  /** Tells people what is waited for. */
  readonly say: (text: string) => void;
}

/** A connected store. */
interface Met {
  readonly address: StoreAddress;
  readonly link: StoreLink;
}

/** The stores of other jobs that a launch uses, and its connections to them. */
export class MetStores {
  readonly #meeting: Meeting;
  readonly #links = new Set<StoreLink>();
  #closed = false;

  constructor(meeting: Meeting) {
    this.#meeting = meeting;
  }

  /**
   * Waits until a store answers, or a stop is requested, and asks for a stop when it is lost. Throws RUN1004 when it does not come in
   * time, or its job says that it does not come.
   */
  async meet(store: Store): Promise<SeenStore | undefined> {
    const met = await this.#await(store);
    if (met === undefined) return undefined;
    this.#keep(store, met);
    return seenStore(store, met.address, () => readSharedAddress(this.#meeting.job.dir, store.name));
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links) link.close();
  }

  async #await(store: Store): Promise<Met | undefined> {
    const { job, plan, entity, stop, say } = this.#meeting;
    const owner = jobOfStore(plan, store.name).name;
    const end = Date.now() + job.upTimeoutSeconds * 1000;
    const others = new OtherJobs(job, plan);
    let said = false;
    for (;;) {
      if (stop.reason !== undefined) return undefined;
      const tried = await stop.orStop(this.#tryOnce(store));
      if (typeof tried !== 'string') return tried;
      const ended = readEnd(job.dir, store.name);
      if (ended !== undefined && job.run !== undefined && ended.run === job.run) {
        throw unavailable(entity, store, owner, `does not run: ${firstLine(ended.reason)}`);
      }
      await others.refresh([owner]);
      const over = others.endOf(owner);
      if (over !== undefined) throw unavailable(entity, store, owner, `does not run: ${over}`);
      if (Date.now() >= end) {
        throw unavailable(entity, store, owner, `did not answer within ${job.upTimeoutSeconds} s (${tried})`);
      }
      if (!said) {
        const until = new Date(end).toISOString().replace(/\.\d+Z$/, 'Z');
        say(`waits for store '${store.name}' of job '${owner}' until ${until} (${tried})`);
        said = true;
      }
      await sleep(pauseMs);
    }
  }

  /** Connects to where the store says that it is, or says why that is not possible. */
  async #tryOnce(store: Store): Promise<Met | string> {
    const { job, entity } = this.#meeting;
    const address = readSharedAddress(job.dir, store.name);
    const node = address?.nodes[0];
    if (address === undefined || node === undefined) return 'it has no address yet';
    // Few launches use a store of another job; the others start faster without the client.
    const { StoreLink } = await import('./store-link.js');
    const link = await StoreLink.open(placeOf(address), node.runId, linkName(job, entity, process.pid));
    if (typeof link === 'string') return `${placeOf(address)}: ${link}`;
    return { address, link };
  }

  #keep(store: Store, { address, link }: Met): void {
    this.#links.add(link);
    link.onLost(() => {
      link.close();
      this.#links.delete(link);
      void this.#onLost(store, address);
    });
  }

  /** A connection may break by itself, and some stores are started again: only one that does not answer is gone. */
  async #onLost(store: Store, address: StoreAddress): Promise<void> {
    const { job, stop } = this.#meeting;
    const end = Date.now() + (store.kind === 'standalone' && store.restart ? restartMs : 0);
    for (;;) {
      const tried = await this.#tryOnce(store);
      if (typeof tried === 'object') {
        if (this.#closed) tried.link.close();
        else this.#keep(store, tried);
        return;
      }
      if (this.#closed || stop.reason !== undefined) return;
      if (Date.now() >= end || readEnd(job.dir, store.name)?.jobId === address.jobId) break;
      await sleep(pauseMs);
    }
    await sleep(reasonMs);
    const ended = readEnd(job.dir, store.name);
    const why = ended?.jobId === address.jobId ? ended.reason : 'it does not answer any more';
    stop.request({
      kind: 'store',
      problem: new WorkflowError({
        code: 'RUN1005',
        message: `store '${store.name}' of job '${address.job}' (${address.jobId}) has gone: ${why}`,
        hint: `its log is run/stores/${store.name}/`,
      }),
    });
  }
}

/** Name of a launch's connection in the store's `CLIENT LIST`. */
export function linkName(job: Pick<JobEnvironment, 'jobId'>, entity: Pick<Entity, 'name'>, pid: number): string {
  return `launch/${entity.name}/${jobIdForPath(job.jobId)}/${pid}`;
}

function placeOf(address: StoreAddress): string {
  return address.nodes[0]?.addresses[0] ?? '';
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function unavailable(entity: Entity, store: Store, owner: string, why: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1004',
    message: `${entity.name} needs store '${store.name}' of job '${owner}', which ${why}`,
    hint: `run/stores/${store.name}/ has its log; SIMWRIGHT_UP_TIMEOUT sets how long launches wait for it`,
  });
}
