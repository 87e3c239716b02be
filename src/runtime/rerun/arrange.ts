import { existsSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import { type Entity, hasNumbers, memberName } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { type LockTaker, MemberLock } from '../job/member-lock.js';
import { memberPath } from '../job/paths.js';
import type { MemberEvent } from '../status/index.js';
import { type AsideNote, moveAside, takeBack } from './aside.js';
import type { Decisions } from './decide.js';
import { type Journal, readJournal, removeJournal, writeJournal } from './journal.js';

/** An entity whose directories are put in order before its members start. */
export interface Arrangement {
  readonly job: JobEnvironment;
  readonly entity: Entity;
  readonly taker: LockTaker;
  /** Reads the status anew, and decides. */
  readonly decide: () => Decisions;
  /** The last event of each member of that name that there has ever been, of whatever kind it was. */
  readonly eventsOf: () => ReadonlyMap<number, MemberEvent>;
  /** Writes events of members under their new numbers. */
  readonly record: (events: readonly MemberEvent[]) => void;
  readonly isStopped: () => boolean;
}

/** Milliseconds between two tries for an entity's lock, and after which somebody who waits is told for whom. */
const pauseMs = 50;
const quietMs = 5000;

/**
 * Gives directories their members' new numbers, moves aside what no member has any more, brings back what was moved aside and is a member's
 * again, and finishes what was cut short, all under a lock of the entity. Takes the decisions of a first look, and returns those that hold then.
 *
 * @throws WorkflowError RUN1008 while a job runs a member that gets another number.
 */
export async function arrange(arrangement: Arrangement, first: Decisions): Promise<Decisions> {
  const { job, entity, decide, taker } = arrangement;
  if (!hasWork(arrangement, first)) return first;
  const path = join(job.dir, 'run', entity.name);
  const take = () => MemberLock.take(path, taker);
  // The lock of a model is its member's: who has it runs it.
  const isMembers = entity.kind !== 'ensemble' && !isOfOtherKind(arrangement);
  const lock = isMembers ? await take() : await takePatiently(take, arrangement.isStopped);
  if (lock === undefined) return decide();
  try {
    giveWayToKind(arrangement);
    const begun = readJournal(job.dir, entity);
    if (begun !== undefined) finish(arrangement, begun);
    await renumber(arrangement, decide());
  } finally {
    lock.release();
  }
  return decide();
}

function hasWork(arrangement: Arrangement, { members, leftovers }: Decisions): boolean {
  const { job, entity } = arrangement;
  if (isOfOtherKind(arrangement)) return true;
  if (leftovers.length > 0 || members.some(({ from, back }) => from !== undefined || back !== undefined)) return true;
  return readJournal(job.dir, entity) !== undefined;
}

/** Waits while another process, as a rule another element of the job array, has the lock. */
async function takePatiently(
  take: () => Promise<MemberLock>,
  isStopped: () => boolean,
): Promise<MemberLock | undefined> {
  const start = performance.now();
  let said = false;
  while (!isStopped()) {
    try {
      return await take();
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      if (!said && performance.now() - start > quietMs) {
        process.stderr.write(`simwright: waits for who puts its directories in order: ${error.message}\n`);
        said = true;
      }
      await sleep(pauseMs);
    }
  }
  return undefined;
}

/** True if a model left what stands where an ensemble is now, or the other way round: by its last event, and by what is there. */
function isOfOtherKind({ job, entity, eventsOf }: Arrangement): boolean {
  const [first, ...others] = eventsOf().values();
  if (first === undefined) return false;
  const newest = others.reduce((a, b) => (a.time < b.time ? b : a), first);
  if (newest.member === memberName(entity, newest.index)) return false;
  const folder = join(job.dir, 'run', entity.name);
  // A member's folder has its parameters; an ensemble's folder has members only.
  return existsSync(folder) && existsSync(join(folder, 'params.json')) === hasNumbers(entity);
}

/** Moves aside, as a whole, what a model left where an ensemble is now, or the other way round. */
function giveWayToKind(arrangement: Arrangement): void {
  const { job, entity } = arrangement;
  if (!isOfOtherKind(arrangement)) return;
  const why = hasNumbers(entity) ? 'it is an ensemble now' : 'it is a model now';
  moveAside(job.dir, join(job.dir, 'run', entity.name), { entity: entity.name, member: entity.name, why });
}

async function renumber(arrangement: Arrangement, { members, leftovers }: Decisions): Promise<void> {
  const { job, entity, taker } = arrangement;
  const place = (index: number) => memberPath(job.dir, entity, index);
  const locks: MemberLock[] = [];
  try {
    const moves: Journal['moves'] = members.flatMap(({ index, from, back, event }) => {
      if (event === undefined) return [];
      if (back !== undefined) return [{ from: event.index, to: index, event, back }];
      return from === undefined ? [] : [{ from, to: index, event }];
    });
    const sources = new Set(moves.flatMap(({ from, back }) => (back === undefined ? [from] : [])));
    const targets = new Set(moves.map(({ to }) => to).filter((index) => !sources.has(index)));
    const own = hasNumbers(entity) ? [...sources, ...targets] : [];
    for (const index of own) locks.push(await MemberLock.take(place(index), taker));
    const former = new Set(leftovers.map(({ index }) => index));
    const returning = new Set(moves.flatMap(({ to, back }) => (back === undefined ? [] : [to])));
    const asides: AsideNote[] = [...targets].flatMap((index) => {
      if (!existsSync(place(index))) return [];
      if (returning.has(index)) return [noteOf(entity, index, 'what had been there before came back')];
      return [noteOf(entity, index, former.has(index) ? 'it is no longer a member' : 'another member is there now')];
    });
    for (const index of former) {
      if (targets.has(index)) continue;
      const lock = await tryTake(() => MemberLock.take(place(index), taker));
      // An earlier job still runs it.
      if (lock === undefined) continue;
      locks.push(lock);
      asides.push(noteOf(entity, index, 'it is no longer a member'));
    }
    if (moves.length + asides.length > 0) begin(arrangement, { phase: 'out', asides, moves });
  } finally {
    for (const lock of locks) lock.release();
  }
}

function noteOf(entity: Entity, index: number, why: string): AsideNote {
  return { entity: entity.name, member: memberName(entity, index), why };
}

async function tryTake(take: () => Promise<MemberLock>): Promise<MemberLock | undefined> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof WorkflowError) return undefined;
    throw error;
  }
}

function begin(arrangement: Arrangement, journal: Journal): void {
  writeJournal(arrangement.job.dir, arrangement.entity, journal);
  finish(arrangement, journal);
}

/** Does what is left of a renumbering. */
function finish({ job, entity, eventsOf, record }: Arrangement, journal: Journal): void {
  const place = (index: number) => memberPath(job.dir, entity, index);
  const between = ({ from, to, back }: Journal['moves'][number]) =>
    back === undefined ? `${place(from)}.moving` : `${place(to)}.returning`;
  if (journal.phase === 'out') {
    const last = new Map([...eventsOf().values()].map((event) => [event.member, event]));
    for (const note of journal.asides) {
      const directory = join(dirname(place(0)), note.member);
      moveAside(job.dir, directory, note, job.fresh ? undefined : completed(last.get(note.member)));
    }
    for (const move of journal.moves) {
      const source = place(move.from);
      if (move.back !== undefined) takeBack(job.dir, { name: move.back }, between(move));
      else if (!existsSync(between(move)) && existsSync(source)) renameSync(source, between(move));
    }
    writeJournal(job.dir, entity, { ...journal, phase: 'in' });
  }
  for (const move of journal.moves) {
    if (!existsSync(between(move))) continue;
    renameOutputs(between(move), memberName(entity, move.from), memberName(entity, move.to));
    renameSync(between(move), place(move.to));
  }
  const arrived = journal.moves.filter(({ to, back }) => back === undefined || existsSync(place(to)));
  record(arrived.map(({ to, event }) => ({ ...event, index: to, member: memberName(entity, to) })));
  removeJournal(job.dir, entity);
}

function completed(event: MemberEvent | undefined): MemberEvent | undefined {
  return event?.state === 'completed' ? event : undefined;
}

/** Renames a member's output files, whose names begin with the member's; those of earlier attempts end in a number. */
function renameOutputs(directory: string, before: string, now: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(`${before}.`) || !/\.(out|err)(\.[1-9]\d*)?$/.test(name)) continue;
    renameSync(join(directory, name), join(directory, `${now}${name.slice(before.length)}`));
  }
}
