import { type Entity, hashText, memberDigest, type Plan } from '../../ir/index.js';
import type { MemberSelection } from '../job/member-selection.js';
import type { EntityStatus, MemberEvent } from '../status/index.js';
import type { RunRecord } from './record.js';
import { type Upstream, UpstreamGraph } from './upstream.js';

/** Facts that versions are made from. */
export interface VersionFacts {
  readonly plan: Plan;
  readonly statusOf: (entity: string) => EntityStatus;
  readonly recordOf: (digest: string | undefined) => RunRecord | undefined;
  /** The members that the run is limited to. */
  readonly chosen: MemberSelection;
  /**
   * True where upstream members have ended, so that who waits for that sees which of them did not succeed; false to foretell a run, in
   * which all are expected to.
   */
  readonly hasOutcomes: boolean;
}

/** Members of an ensemble up to which a record lists them. */
const mostListed = 20_000;

/** Digits of a member's version in such a list: it tells what has changed, not that something has. */
const listedDigits = 8;

/**
 * Versions of entities: what their members do and what they were made from, all the way up. A member that has run keeps the version that it
 * ran with for as long as what it read then is what it would read now, so a name that is only added to what it waits for changes nothing.
 *
 * A look at one moment: make another one when the status has changed.
 */
export class Versions {
  readonly #facts: VersionFacts;
  readonly #graph: UpstreamGraph;
  readonly #inputs = new Map<Entity, Readonly<Record<string, string>>>();
  readonly #wholes = new Map<Entity, { readonly version: string; readonly members: readonly string[] }>();
  readonly #inputsTexts = new Map<object, string>();

  constructor(facts: VersionFacts) {
    this.#facts = facts;
    this.#graph = new UpstreamGraph(facts.plan);
  }

  /** The version of each entity or member that an entity waits for or reads. */
  inputsOf(entity: Entity): Readonly<Record<string, string>> {
    if (!this.#inputs.has(entity)) {
      for (const group of this.#graph.groupsUpTo(entity)) for (const one of group) this.#prepare(one, group);
    }
    return this.#inputs.get(entity) ?? {};
  }

  /** Members of each ensemble that an entity waits for or reads, `INDEX:VERSION`; without those that are large, or read each other. */
  membersOf(entity: Entity): Record<string, string[]> {
    this.inputsOf(entity);
    return Object.fromEntries(
      this.#graph.of(entity).flatMap(({ name, entity: { kind }, entity: upstream, index }): [string, string[]][] => {
        const members = index === undefined && kind === 'ensemble' ? this.#wholes.get(upstream)?.members : undefined;
        if (members === undefined || members.length === 0) return [];
        return [[name, members.map((one) => one.slice(0, one.indexOf(':') + 1 + listedDigits))]];
      }),
    );
  }

  /** Entities or members that an entity waits for or reads. */
  upstreamsOf(entity: Entity): readonly Upstream[] {
    return this.#graph.of(entity);
  }

  /** Names whose version has changed since a member ran. Names that it has begun or ceased to wait for since then do not count. */
  changedInputs(entity: Entity, event: MemberEvent): string[] {
    const now = this.inputsOf(entity);
    const names = Object.keys(now);
    if (names.length === 0) return [];
    const record = this.#facts.recordOf(event.recipe);
    // Nothing is known of what it read.
    if (record === undefined) return names;
    return names.filter((name) => record.inputs[name] !== undefined && record.inputs[name] !== now[name]);
  }

  #prepare(entity: Entity, group: readonly Entity[]): void {
    if (this.#inputs.has(entity)) return;
    const inputs = this.#graph.of(entity).map((upstream): [string, string] => {
      // Entities that read each other see what the other does, not what that was made from.
      const version = group.includes(upstream.entity) ? this.#bareVersion(upstream) : this.#version(upstream);
      return [upstream.name, `${version}${upstream.byOutcome ? this.#outcome(upstream) : ''}`];
    });
    this.#inputs.set(entity, Object.fromEntries(inputs));
  }

  #version({ entity, index }: Upstream): string {
    if (index !== undefined) return this.#memberVersion(entity, index);
    let whole = this.#wholes.get(entity);
    if (whole === undefined) {
      const members = this.#indices(entity).map((one) => `${one}:${this.#memberVersion(entity, one)}`);
      whole = { version: hashText(members.join()), members: members.length > mostListed ? [] : members };
      this.#wholes.set(entity, whole);
    }
    return whole.version;
  }

  #bareVersion({ entity, index }: Upstream): string {
    const { plan } = this.#facts;
    if (index !== undefined) return memberDigest(plan, entity, index);
    return hashText(
      this.#indices(entity)
        .map((one) => `${one}:${memberDigest(plan, entity, one)}`)
        .join(),
    );
  }

  #memberVersion(entity: Entity, index: number): string {
    const { plan, statusOf, recordOf } = this.#facts;
    const digest = memberDigest(plan, entity, index);
    const event = statusOf(entity.name).members.get(index);
    const isSame = event?.digest === digest && this.changedInputs(entity, event).length === 0;
    const inputs = (isSame ? recordOf(event.recipe)?.inputs : undefined) ?? this.inputsOf(entity);
    let text = this.#inputsTexts.get(inputs);
    if (text === undefined) {
      const entries = Object.entries(inputs).sort();
      text = entries.length === 0 ? '' : JSON.stringify(entries);
      this.#inputsTexts.set(inputs, text);
    }
    return text === '' ? digest : hashText(`${digest}${text}`);
  }

  /** Which members have ended without success; empty where there are none. */
  #outcome({ entity, index }: Upstream): string {
    const { plan, statusOf, hasOutcomes } = this.#facts;
    if (!hasOutcomes) return '';
    const { members } = statusOf(entity.name);
    const failed = (index === undefined ? this.#indices(entity) : [index]).filter((one) => {
      const event = members.get(one);
      if (event?.digest !== memberDigest(plan, entity, one)) return false;
      return event.state === 'failed' || event.state === 'interrupted';
    });
    return failed.length === 0 ? '' : `!${hashText(failed.join())}`;
  }

  #indices(entity: Entity): number[] {
    const all = Array.from({ length: entity.members.count }, (_, index) => index);
    return all.filter((index) => this.#facts.chosen.has(entity.name, index));
  }
}
