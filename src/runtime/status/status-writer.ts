import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { statusFile } from '../job/paths.js';
import { ownIdentity } from '../job/process-identity.js';
import type { LaunchEvent, MemberEvent } from './status-event.js';

type Given = 'time' | 'job' | 'jobId' | 'run' | 'entity' | 'digest';

/**
 * Writes what happens to one launch and its members: a line an event, each with a single write. What the file system refuses is kept and
 * written with the next line, so that a full disk neither ends an application nor cuts a line; see {@link unwritten}.
 */
export class StatusWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #job: JobEnvironment;
  readonly #entity: Entity;
  #pending: Buffer = Buffer.alloc(0);
  #refusal: unknown;
  readonly #self = { host: thisHost(), ...ownIdentity() };

  constructor(job: JobEnvironment, entity: Entity, member: number | undefined) {
    this.#path = statusFile(job, entity.name, member);
    mkdirSync(dirname(this.#path), { recursive: true });
    this.#file = openSync(this.#path, 'a', 0o644);
    this.#job = job;
    this.#entity = entity;
  }

  member(event: Omit<MemberEvent, Given>): void {
    this.#write({ ...this.#given(), ...event });
  }

  launch(event: Omit<LaunchEvent, Given | 'host' | 'pid' | 'startTicks'>): void {
    this.#write({ ...this.#given(), ...event, ...this.#self });
  }

  /** The problem of what could not be written until now, if there is any. */
  unwritten(): WorkflowError | undefined {
    if (this.#pending.length === 0) return undefined;
    return new WorkflowError({
      code: 'OUT1002',
      message: `${this.#path} cannot be written: ${this.#refusal instanceof Error ? this.#refusal.message : 'no space left'}`,
      hint: 'what has happened is not on record there; make room, and run the job again',
      cause: this.#refusal,
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #given(): Pick<MemberEvent, Given> {
    const { job, jobId, run } = this.#job;
    const { name: entity, digest } = this.#entity;
    return { time: new Date().toISOString(), job, jobId, ...(run === undefined ? {} : { run }), entity, digest };
  }

  #write(event: MemberEvent | LaunchEvent): void {
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
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
