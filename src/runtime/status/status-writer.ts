import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Entity } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { statusFile } from '../job/paths.js';
import { ownIdentity } from '../job/process-identity.js';
import type { LaunchEvent, MemberEvent } from './status-event.js';

type Given = 'time' | 'job' | 'jobId' | 'run' | 'entity' | 'digest';

/** Writes what happens to one launch and its members: a line an event, each with a single write. */
export class StatusWriter {
  readonly #file: number;
  readonly #job: JobEnvironment;
  readonly #entity: Entity;
  readonly #self = { host: thisHost(), ...ownIdentity() };

  constructor(job: JobEnvironment, entity: Entity, member: number | undefined) {
    const path = statusFile(job, entity.name, member);
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, 'a', 0o644);
    this.#job = job;
    this.#entity = entity;
  }

  member(event: Omit<MemberEvent, Given>): void {
    this.#write({ ...this.#given(), ...event });
  }

  launch(event: Omit<LaunchEvent, Given | 'host' | 'pid' | 'startTicks'>): void {
    this.#write({ ...this.#given(), ...event, ...this.#self });
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
    writeSync(this.#file, `${JSON.stringify(event)}\n`);
  }
}
