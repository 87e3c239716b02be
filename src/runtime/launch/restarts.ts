import type { Entity, Plan } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { isAlive } from '../job/process-identity.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import { happenedAt, isEnd, isOver, type LaunchEvent, type MemberEvent, type StatusReader } from '../status/index.js';
import { HeldStores } from '../stored-data/held-stores.js';
import { Order, readersOf } from '../stored-data/readers.js';
import { runningStore, type SeenStore } from './store-addresses.js';
import { awaitedEvent, verdictOf } from './wait-for-events.js';

/** A launch, and the stores that its members see. */
export interface RestartsInput {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly entity: Entity;
  readonly stores: readonly SeenStore[];
  readonly reader: StatusReader;
}

/** Data that an entity's members read and that a restarted store has lost. */
export interface Loss {
  /** In words: `store 'x' was started again, and no longer has the data of sim`. */
  readonly reason: string;
  /** True if the entity waits for the end of every owner of the data, so that the owners can run again before its members do. */
  readonly isAwaited: boolean;
}

/** State of the stores when a member began. */
export interface MemberBegin {
  /** ISO 8601. */
  readonly time: string;
  /** Number of restarts until then. */
  readonly count: number;
  readonly loss: Loss | undefined;
}

/** Restarts, during a launch, of stores that its members see, and their consequences for the launch. */
export class Restarts {
  readonly #input: RestartsInput;
  readonly #stores: readonly SeenStore[];
  #sources: readonly Entity[] | undefined;
  #readers: readonly Entity[] | undefined;

  constructor(input: RestartsInput) {
    this.#input = input;
    this.#stores = input.stores.filter(({ store }) => store.kind === 'standalone' && store.restart);
  }

  /** True if one of the stores has been started again so far. */
  hasHappened(): boolean {
    return this.#stores.some(({ restarts }) => restarts() > 0);
  }

  /** True while one of the stores is being started again. */
  isHappening(): boolean {
    return this.#stores.some(({ start }) => start() === '');
  }

  /** Number of restarts so far. */
  count(): number {
    return this.#stores.reduce((sum, { restarts }) => sum + restarts(), 0);
  }

  /** State to keep from a member's start until its end. Reads the status anew. */
  begin(): MemberBegin {
    return { time: new Date().toISOString(), count: this.count(), loss: this.loss() };
  }

  /**
   * Data that the entity's members read and that is lost, or has been since one of them began; undefined if all is there. Reads the status
   * anew.
   */
  loss(since?: MemberBegin): Loss | undefined {
    if (since?.loss !== undefined) return since.loss;
    if (!this.hasHappened()) return undefined;
    const { plan, entity, reader } = this.#input;
    reader.refresh();
    const held = this.#held();
    // A member that wrote its data again meanwhile had lost it before.
    const isOlder = (event: MemberEvent) =>
      since === undefined || since.count === this.count() || (isEnd(event.state) && happenedAt(event) <= since.time);
    for (const source of this.#sourcesOf()) {
      for (const event of reader.of(source.name).members.values()) {
        const store = this.#lostBy(event, held) ?? (isOlder(event) ? undefined : this.#sharedWith(source));
        if (store === undefined) continue;
        const reason = `store '${store}' was started again, and no longer has the data of ${event.member}`;
        return { reason, isAwaited: new Order(plan).startsAfterEndOf(entity, source) };
      }
    }
    return undefined;
  }

  /** True if what a member of a source has written is as it left it. */
  isIntact(source: Entity, event: MemberEvent): boolean {
    if (!this.hasHappened() || !this.#sourcesOf().includes(source)) return true;
    return this.#lostBy(event, this.#held()) === undefined;
  }

  /** True while this job runs launches whose members can read what the entity's members have written. Reads the status anew. */
  isRead(): boolean {
    if (this.#stores.length === 0) return false;
    const { job, plan, entity, reader } = this.#input;
    reader.refresh();
    this.#readers ??= readersOf(plan, entity).filter((one) => one.job === entity.job);
    // Readers are of this job: nothing is asked about others.
    const others = new OtherJobs(job, plan);
    return this.#readers.some(({ name }) => {
      const launches = [...reader.of(name).launches.values()].filter(({ jobId }) => jobId === job.jobId);
      const isDone = (launch: LaunchEvent) => isOver(launch) || (launch.host === thisHost() && !isAlive(launch));
      // A launch without events may be about to start; if it was killed before that, the verdict knows.
      if (launches.length > 0 && launches.every(isDone)) return false;
      const ended = awaitedEvent(job, plan, entity, reader, name, 'ended', others);
      return verdictOf(job, plan, reader, ended, others) === 'pending';
    });
  }

  /** The store that has lost what a member wrote: in this run, or before it if that still counts. */
  #lostBy(event: MemberEvent, held: HeldStores): string | undefined {
    const isOurs = event.jobId === this.#input.job.jobId;
    if (event.state === 'staged' || !(isOurs || event.state === 'completed')) return undefined;
    const seen = Object.entries(event.stores ?? {}).filter(([name]) =>
      this.#stores.some(({ store }) => store.name === name),
    );
    const isThere = (store: string, start: string) =>
      isEnd(event.state) ? held.has(store, start, happenedAt(event), event.member) : held.isRunning(store, start);
    return seen.find(([store, starts]) => !starts.every((start) => isThere(store, start)))?.[0];
  }

  /** A store that may be started again and that another entity sees, too. */
  #sharedWith({ stores }: Entity): string | undefined {
    return this.#stores.find(({ store }) => stores.includes(store.name))?.store.name;
  }

  #held(): HeldStores {
    const { job, plan, entity } = this.#input;
    return new HeldStores(job.dir, (store) => runningStore(job, plan, entity, store));
  }

  #sourcesOf(): readonly Entity[] {
    const { plan, entity } = this.#input;
    this.#sources ??= plan.entities.filter((source) => readersOf(plan, source).includes(entity));
    return this.#sources;
  }
}
