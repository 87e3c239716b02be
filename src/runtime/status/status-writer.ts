import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { type Entity, memberDigest, type Plan } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { statusFile } from '../job/paths.js';
import { ownIdentity } from '../job/process-identity.js';
import { formatRanges } from './ranges.js';
import { happenedAt, type LaunchEvent, type MemberEvent } from './status-event.js';

/** Fields of an event that its writer adds. */
type WriterField = 'time' | 'job' | 'jobId' | 'run' | 'entity';

/**
 * Writes what happens to one launch and its members: a line an event, each with a single write. What the file system refuses is kept and
 * written with the next line, so that a full disk neither ends an application nor cuts a line; see {@link unwritten}.
 */
export class StatusWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #job: JobEnvironment;
  readonly #plan: Plan;
  readonly #entity: Entity;
  #pending: Buffer = Buffer.alloc(0);
  #refusal: unknown;
  #recipe: string | undefined;
  #done: { readonly done?: string } = {};
  #lastTimeOf: (index: number) => string | undefined = () => undefined;
  readonly #self = { host: thisHost(), ...ownIdentity() };

  constructor(job: JobEnvironment, plan: Plan, entity: Entity, member: number | undefined) {
    this.#path = statusFile(job, entity.name, member);
    mkdirSync(dirname(this.#path), { recursive: true });
    this.#file = openSync(this.#path, 'a', 0o644);
    this.#job = job;
    this.#plan = plan;
    this.#entity = entity;
  }

  /** Tells the time of the last event of each member: what is written is later, also where another node's clock is ahead of this one's. */
  follow(lastTimeOf: (index: number) => string | undefined): void {
    this.#lastTimeOf = lastTimeOf;
  }

  /** Names the record of what members are made from, and the members that stay as they are, in all that is written from now on. */
  begin(recipe: string, done: readonly number[]): void {
    this.#recipe = recipe;
    this.#done = done.length === 0 ? {} : { done: formatRanges(done) };
  }

  member(event: Omit<MemberEvent, WriterField | 'digest' | 'recipe'>): void {
    const digest = memberDigest(this.#plan, this.#entity, event.index);
    const recipe = this.#recipe === undefined ? {} : { recipe: this.#recipe };
    this.#write([{ ...this.#given(), time: this.#timeFor(event.index), ...event, digest, ...recipe }]);
  }

  /**
   * Writes what has happened to members before, as it is, with a single write, and waits until the disk has it.
   *
   * @throws WorkflowError OUT1002 when it cannot be written.
   */
  earlier(events: readonly MemberEvent[]): void {
    if (events.length === 0) return;
    this.#write(events.map((event) => ({ ...event, time: this.#timeFor(event.index), happened: happenedAt(event) })));
    const problem = this.unwritten();
    if (problem !== undefined) throw problem;
    fsyncSync(this.#file);
  }

  /** Writes that completed members are accepted as what they would be now. */
  accept(events: readonly MemberEvent[]): void {
    this.earlier(
      events.map((event) => {
        const digest = memberDigest(this.#plan, this.#entity, event.index);
        return { ...event, digest, ...(this.#recipe === undefined ? {} : { recipe: this.#recipe }) };
      }),
    );
  }

  launch(event: Omit<LaunchEvent, WriterField | 'host' | 'pid' | 'startTicks'>): void {
    this.#write([{ ...this.#given(), ...event, ...this.#self, ...this.#done }]);
  }

  /** The problem of what could not be written until now, if there is any. */
  unwritten(): WorkflowError | undefined {
    if (this.#pending.length === 0) return undefined;
    return new WorkflowError({
      code: 'OUT1002',
      message: `${this.#path} cannot be written: ${this.#refusal instanceof Error ? this.#refusal.message : 'no space left'}`,
      hint: 'the file does not record all that happened; make room, and run the job again',
      cause: this.#refusal,
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #timeFor(index: number): string {
    const now = new Date().toISOString();
    const last = this.#lastTimeOf(index);
    return last === undefined || last <= now ? now : new Date(Date.parse(last) + 1).toISOString();
  }

  #given(): Pick<LaunchEvent, WriterField> {
    const { job, jobId, run } = this.#job;
    const { name: entity } = this.#entity;
    return { time: new Date().toISOString(), job, jobId, ...(run === undefined ? {} : { run }), entity };
  }

  #write(events: readonly (MemberEvent | LaunchEvent)[]): void {
    const line = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const bytes = this.#pending.length === 0 ? line : Buffer.concat([this.#pending, line]);
    let written = 0;
    try {
      // A full disk takes a part; the file is ours alone, so the rest continues it.
      written = writeSync(this.#file, bytes);
    } catch (error) {
      this.#refusal = error;
    }
    this.#pending = bytes.subarray(written);
  }
}
