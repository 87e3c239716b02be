import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Entity,
  entityRecipe,
  hasNumbers,
  memberDigest,
  memberDirectory,
  memberName,
  memberParams,
  type Plan,
  whyNumberMatters,
} from '../../ir/index.js';
import type { MemberSelection } from '../job/member-selection.js';
import type { EntityStatus, MemberEvent } from '../status/index.js';
import type { StoreAddress } from '../store-files/store-address.js';
import { HeldStores } from '../stored-data/held-stores.js';
import { StoredData } from '../stored-data/stored-data.js';
import { asideResults, namesIn } from './aside.js';
import { type Change, paramChanges, recipeChanges } from './change.js';
import { type Decision, type Decisions, decide } from './decide.js';
import { describeSummary, type RerunSummary, summarizeDecisions } from './describe.js';
import { compareInput, newsOf } from './input-news.js';
import { readJournal } from './journal.js';
import { Records, type RunRecord } from './record.js';
import { Versions } from './versions.js';

/** Inputs of the decision on what runs again. */
export interface RerunContext {
  /** The folder that holds the results; plan.json in it may be an older one. */
  readonly dir: string;
  readonly plan: Plan;
  readonly statusOf: (entity: string) => EntityStatus;
  readonly chosen: MemberSelection;
  /** Nothing of an earlier run counts. */
  readonly fresh: boolean;
  /** Completed members are accepted, whatever has changed. */
  readonly keep: boolean;
  /** True where upstream members have ended; see `VersionFacts`. */
  readonly hasOutcomes: boolean;
  /** True if an event is of the run that is decided on, which `fresh` does not touch. */
  readonly isOurs?: (event: MemberEvent) => boolean;
  /** True if a job runs the member now. */
  readonly isRunning?: (entity: Entity, event: MemberEvent) => boolean;
  /** Address of a running store. By default no store runs, and the data that its next start will bring back are the ones that are there. */
  readonly runningStore?: (store: string) => StoreAddress | undefined;
}

/** Members of a plan that run again, and why, at one moment. */
export class Rerun {
  readonly #context: RerunContext;
  readonly #records: Records;
  readonly #versions: Versions;
  readonly #decisions = new Map<Entity, Decisions>();
  readonly #data: StoredData | undefined;

  /** `looksAtData` is false for what would run if stores had the data of all members that have completed. */
  constructor(context: RerunContext, looksAtData = true) {
    this.#context = context;
    this.#data = looksAtData ? storedData(context) : undefined;
    this.#records = new Records(context.dir);
    const { plan, statusOf, chosen, hasOutcomes } = context;
    this.#versions = new Versions({
      plan,
      statusOf,
      chosen,
      hasOutcomes,
      recordOf: (digest) => this.#records.of(digest),
    });
  }

  /** Decisions on an entity's members. */
  of(entity: Entity): Decisions {
    let decisions = this.#decisions.get(entity);
    if (decisions === undefined) {
      decisions = entity.ray === undefined ? this.#decide(entity) : this.#ofCluster(entity, this.#decide(entity));
      this.#decisions.set(entity, decisions);
    }
    return decisions;
  }

  /** Record of what an entity's members are made from now, besides their parameters. */
  recordOf(entity: Entity): RunRecord {
    return {
      recipe: entityRecipe(this.#context.plan, entity),
      inputs: this.#versions.inputsOf(entity),
      members: this.#versions.membersOf(entity),
    };
  }

  /** Summary of a run for an entity, or for some of its members, grouped by reason. */
  summaryOf(entity: Entity, isChosen = (index: number) => this.#context.chosen.has(entity.name, index)): RerunSummary {
    const known = new Map<string, string | undefined>();
    return summarizeDecisions(this.of(entity), isChosen, (name, recipe) => {
      const key = `${recipe} ${name}`;
      if (!known.has(key)) known.set(key, this.#newsOf(entity, name, this.#records.of(recipe)));
      return known.get(key);
    });
  }

  /** `bar: 4 new; 1 changed: KAPPA 0.5 → 0.6; 3 done`. */
  lineOf(entity: Entity, isChosen?: (index: number) => boolean): string {
    return `${entity.name}: ${describeSummary(this.summaryOf(entity, isChosen), !hasNumbers(entity))}`;
  }

  /** A Ray cluster runs whenever one that uses it does, and only then. */
  #ofCluster(cluster: Entity, decided: Decisions): Decisions {
    const { plan, chosen } = this.#context;
    const users = plan.entities.filter(({ usesRay }) => usesRay === cluster.name);
    const isNeeded = users.some((user) =>
      this.of(user).members.some(({ index, reason }) => reason !== undefined && chosen.has(user.name, index)),
    );
    const members = decided.members.map(({ index, event, reason, anew }): Decision => {
      const last = event === undefined ? {} : { event };
      if (!isNeeded && users.length > 0) return { index, ...last, anew: false };
      return { index, ...last, reason: reason ?? { kind: 'new' }, anew: reason === undefined ? false : anew };
    });
    return { ...decided, members };
  }

  #decide(entity: Entity): Decisions {
    const { dir, plan, statusOf, fresh, keep } = this.#context;
    const { isOurs = () => false, isRunning = () => false } = this.#context;
    const { events, hasDirectory } = presentMembers(dir, entity, statusOf(entity.name));
    return decide({
      count: entity.members.count,
      digestOf: (index) => memberDigest(plan, entity, index),
      events,
      hasDirectory,
      changesSince: (event, index) => this.#changesSince(entity, event, index),
      changedInputs: (event) => this.#versions.changedInputs(entity, event),
      hasData: (event) => this.#data?.hasData(entity, event) ?? true,
      asideOf: asideResults(dir, entity.name),
      isRunning: (event) => isRunning(entity, event),
      numberMatters: whyNumberMatters(entity),
      isPast: (event) => fresh && !isOurs(event),
      keep,
    });
  }

  #changesSince(entity: Entity, event: MemberEvent, index: number): Change[] {
    const record = this.#records.of(event.recipe);
    if (record === undefined) return [];
    const changes = [
      ...paramChanges(event.params ?? {}, memberParams(entity.members, index)),
      ...recipeChanges(record.recipe, entityRecipe(this.#context.plan, entity)),
    ];
    const isByHand = entity.commands.length > 1 || entity.memberEnv !== undefined;
    return changes.length === 0 && isByHand ? [{ what: 'its own command or environment' }] : changes;
  }

  /** Text on what is new with something that an entity waits for or reads, since the time of a record. */
  #newsOf(entity: Entity, name: string, record: RunRecord | undefined): string | undefined {
    const upstream = this.#versions.upstreamsOf(entity).find((one) => one.name === name);
    if (upstream === undefined) return undefined;
    const { chosen } = this.#context;
    const foretold = newsOf(this.of(upstream.entity), upstream, (index) => chosen.has(upstream.entity.name, index));
    const { inputs, members = {} } = this.recordOf(entity);
    const seen = compareInput(
      { version: record?.inputs[name], members: record?.members?.[name] },
      { version: inputs[name], members: members[name] },
      upstream.entity.members.count,
    );
    return foretold.explains >= seen.differing && foretold.text !== undefined
      ? foretold.text
      : (seen.text ?? foretold.text);
  }
}

/** Whose data stores have, and who would need them, asked for when somebody lacks his. */
function storedData(context: RerunContext): StoredData {
  let runs: Rerun | undefined;
  const decisionsOf = (entity: Entity) => {
    runs ??= new Rerun(context, false);
    return runs.of(entity).members.filter(({ index }) => context.chosen.has(entity.name, index));
  };
  return new StoredData({
    plan: context.plan,
    held: new HeldStores(context.dir, context.runningStore ?? (() => undefined)),
    completedOf: (entity) =>
      decisionsOf(entity).flatMap(({ reason, event }) => (reason === undefined ? (event ?? []) : [])),
    runsAnyway: (entity) => decisionsOf(entity).some(({ reason }) => reason !== undefined),
  });
}

/** The members that an entity has results of, as they are once an interrupted renumbering has been finished. */
export function presentMembers(dir: string, entity: Entity, { members }: EntityStatus) {
  const journal = readJournal(dir, entity);
  const events = new Map(members);
  const moved = new Set<string>();
  for (const { to, event } of journal?.moves ?? []) {
    events.set(to, { ...event, index: to, member: memberName(entity, to) });
    moved.add(memberName(entity, to));
  }
  // Results that a model, or an ensemble, of the same name left belong to another entity.
  for (const [index, { member }] of events) if (member !== memberName(entity, index)) events.delete(index);
  const gone = new Set((journal?.asides ?? []).map(({ member }) => member));
  for (const { from, event, back } of journal?.moves ?? []) {
    if (back !== undefined) continue;
    const last = events.get(from);
    if (!moved.has(memberName(entity, from)) && last?.time === event.time) events.delete(from);
  }
  const there = hasNumbers(entity) ? new Set(namesIn(join(dir, 'run', entity.name))) : undefined;
  const hasDirectory = ({ member }: MemberEvent): boolean => {
    if (moved.has(member)) return true;
    if (gone.has(member)) return false;
    return there === undefined ? existsSync(join(dir, memberDirectory(entity, 0))) : there.has(member);
  };
  return { events, hasDirectory };
}
