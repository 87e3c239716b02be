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
  readonly groups: readonly ReasonGroup[];
  /** Directories that no member has any more. */
  readonly removed: number;
}

/** Most groups of changes that are told apart by their values. */
const mostChanges = 5;

/** Groups decisions by reason. `becauseOf` says of an upstream name what is new with it, in brackets. */
export function summarizeDecisions(
  { members, leftovers }: Decisions,
  isChosen: (index: number) => boolean = () => true,
  becauseOf: (name: string) => string | undefined = () => undefined,
): RerunSummary {
  const chosen = members.filter(({ index }) => isChosen(index));
  const running = chosen.filter((one): one is Decision & { reason: Reason } => one.reason !== undefined);
  const done = chosen.filter(({ reason }) => reason === undefined);
  let groups = groupBy(running, (reason) => describeReason(reason, becauseOf));
  if (groups.filter(({ kind }) => kind === 'changed').length > mostChanges) {
    groups = groupBy(running, (reason) => describeReason(reason, becauseOf, true));
  }
  return {
    total: chosen.length,
    done: done.length,
    renumbered: done.filter(({ from }) => from !== undefined).length,
    kept: done.filter(({ kept }) => kept === true).length,
    groups: groups.map(({ why, indices }) => ({ why, indices })),
    removed: leftovers.length,
  };
}

/** `4 new; 1 changed: KAPPA 0.5 → 0.6; 3 done`: of a model, which has one member, without numbers. */
export function describeSummary(summary: RerunSummary, isModel: boolean): string {
  const { total, done, renumbered, kept, groups, removed } = summary;
  if (isModel) return groups[0]?.why.replace(/\bwhose /, 'its ') ?? (kept > 0 ? 'kept as it is' : 'done');
  const notes = [
    renumbered > 0 ? `${renumbered} of them renumbered` : '',
    kept > 0 ? `${kept} of them kept as they are` : '',
  ].filter((note) => note !== '');
  const parts = [
    ...groups.map(({ why, indices }) => `${indices.length} ${why}`),
    done > 0 ? [done === total ? `all ${done} done` : `${done} done`, ...notes].join(', ') : '',
    removed > 0 ? `${removed} no longer a member, moved aside` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** Text of a reason, to follow a number of members. */
export function describeReason(
  reason: Reason,
  becauseOf: (name: string) => string | undefined = () => undefined,
  namesOnly = false,
): string {
  switch (reason.kind) {
    case 'changed':
      return `changed: ${changesText(reason.changes, namesOnly)}`;
    case 'inputs':
      return `input changed: ${reason.names.map((name) => inputText(name, becauseOf(name))).join(', ')}`;
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

/** In the order in which reasons matter, the larger groups first. */
function groupBy(decisions: readonly (Decision & { reason: Reason })[], describe: (reason: Reason) => string): Group[] {
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
