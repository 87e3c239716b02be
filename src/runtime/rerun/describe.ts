import { describeChange } from './change.js';
import type { Decision, Decisions, Reason } from './decide.js';

/** Members that run for one reason. */
export interface ReasonGroup {
  /** `changed: KAPPA 0.5 → 0.6`, to follow their number. */
  readonly why: string;
  readonly indices: readonly number[];
}

/** Summary of what a run does with an entity's members, grouped by reason. */
export interface RerunSummary {
  readonly total: number;
  /** Members that have completed and stay as they are. */
  readonly done: number;
  /** Members among `done` that get another index. */
  readonly renumbered: number;
  /** Members among `done` that did something else and are accepted as they are. */
  readonly kept: number;
  /** The same, grouped by why they would have run. */
  readonly keptGroups: readonly ReasonGroup[];
  /** Members among `done` whose directories come back from run/aside. */
  readonly back: number;
  readonly groups: readonly ReasonGroup[];
  /** Directories that no member has any more. */
  readonly removed: number;
}

/** Most groups of changes that are told apart by their values. */
const mostChanges = 5;

/** Text on what is new with something that is waited for or read, since the time of a record. */
export type BecauseOf = (name: string, recipe: string | undefined) => string | undefined;

/** Groups decisions by reason. `becauseOf` says what stands in brackets after an upstream name. */
export function summarizeDecisions(
  { members, leftovers }: Decisions,
  isChosen: (index: number) => boolean = () => true,
  becauseOf: BecauseOf = () => undefined,
): RerunSummary {
  const chosen = members.filter(({ index }) => isChosen(index));
  const done = chosen.filter(({ reason }) => reason === undefined);
  const groups = grouped(chosen, ({ reason }) => reason, becauseOf);
  const keptGroups = grouped(done, ({ kept }) => kept, becauseOf);
  return {
    total: chosen.length,
    done: done.length,
    renumbered: done.filter(({ from }) => from !== undefined).length,
    kept: done.filter(({ kept }) => kept !== undefined).length,
    keptGroups,
    back: done.filter(({ back }) => back !== undefined).length,
    groups,
    removed: leftovers.length,
  };
}

/** `4 new; 1 changed: KAPPA 0.5 → 0.6; 3 done`: of a model, which has one member, without numbers. */
export function describeSummary(summary: RerunSummary, isModel: boolean): string {
  const { total, done, renumbered, back, keptGroups, groups, removed } = summary;
  if (isModel) {
    const [one] = groups;
    if (one !== undefined) return one.why.replace(/\bwhose /, 'its ');
    const [kept] = keptGroups;
    return kept === undefined ? `done${back > 0 ? ', brought back from run/aside' : ''}` : describeKept(kept);
  }
  const notes = [
    renumbered > 0 ? `${renumbered} of them renumbered` : '',
    back > 0 ? `${back} of them brought back from run/aside` : '',
    ...keptGroups.map((group) => `${group.indices.length} of them ${describeKept(group)}`),
  ].filter((note) => note !== '');
  const parts = [
    ...groups.map(({ why, indices }) => `${indices.length} ${why}`),
    done > 0 ? [done === total ? `all ${done} done` : `${done} done`, ...notes].join(', ') : '',
    removed > 0 ? `${removed} no longer a member, moved aside` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** `kept as it is, though its input has changed: bar (1 new; 1 gone)`. */
export function describeKept({
  why,
  indices,
}: {
  readonly why: string;
  readonly indices: { readonly length: number };
}): string {
  const isOne = indices.length === 1;
  const text = why.replace(/^input changed: /, isOne ? 'its input has changed: ' : 'their input has changed: ');
  const though = text === why ? `${isOne ? 'it has' : 'they have'} ${why}` : text;
  return `kept as ${isOne ? 'it is' : 'they are'}, though ${though}`;
}

/** Text of a reason, to follow a number of members. */
export function describeReason(reason: Reason, becauseOf: BecauseOf = () => undefined, namesOnly = false): string {
  switch (reason.kind) {
    case 'changed':
      return `changed: ${changesText(reason.changes, namesOnly)}`;
    case 'inputs':
      return `input changed: ${reason.names.map((name) => inputText(name, becauseOf(name, reason.recipe))).join(', ')}`;
    case 'lost':
      return reason.what;
    case 'renumbered':
      return `renumbered, whose ${reason.why}`;
    case 'fresh':
      return 'run afresh';
    default:
      return reason.kind;
  }
}

function changesText(changes: Extract<Reason, { kind: 'changed' }>['changes'], namesOnly: boolean): string {
  if (changes.length === 0) return 'what it was is not known';
  return changes.map((change) => (namesOnly ? change.what : describeChange(change))).join(', ');
}

function inputText(name: string, why: string | undefined): string {
  return why === undefined ? name : `${name} (${why})`;
}

interface Group extends ReasonGroup {
  readonly kind: Reason['kind'];
  readonly indices: number[];
}

/** Members by a reason that some of them have; changes are told apart by their values if these are few. */
function grouped(
  decisions: readonly Decision[],
  reasonOf: (decision: Decision) => Reason | undefined,
  becauseOf: BecauseOf,
): ReasonGroup[] {
  const some = decisions.flatMap((one) => {
    const reason = reasonOf(one);
    return reason === undefined ? [] : [{ index: one.index, reason }];
  });
  let groups = groupBy(some, (reason) => describeReason(reason, becauseOf));
  if (groups.filter(({ kind }) => kind === 'changed').length > mostChanges) {
    groups = groupBy(some, (reason) => describeReason(reason, becauseOf, true));
  }
  return groups.map(({ why, indices }) => ({ why, indices }));
}

/** In the order in which reasons matter, the larger groups first. */
function groupBy(
  decisions: readonly { readonly index: number; readonly reason: Reason }[],
  describe: (reason: Reason) => string,
): Group[] {
  const groups = new Map<string, Group>();
  for (const { index, reason } of decisions) {
    const why = describe(reason);
    const group = groups.get(why);
    if (group === undefined) groups.set(why, { kind: reason.kind, why, indices: [index] });
    else group.indices.push(index);
  }
  return [...groups.values()].sort(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.indices.length - a.indices.length,
  );
}

const order: readonly Reason['kind'][] = [
  'running',
  'fresh',
  'new',
  'changed',
  'inputs',
  'renumbered',
  'failed',
  'interrupted',
  'lost',
];
