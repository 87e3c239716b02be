import { type Entity, hasNumbers, type Plan } from '../../ir/index.js';
import { isHeld } from '../job/member-lock.js';
import { MemberSelection } from '../job/member-selection.js';
import { memberPath } from '../job/paths.js';
import { formatRanges, type StatusReader } from '../status/index.js';
import { runningStoreOf } from '../stored-data/running-store.js';
import { describeKept, describeSummary, type ReasonGroup } from './describe.js';
import { Rerun } from './rerun.js';

/** Forecast of what a run of a plan would do with one entity. */
export interface Forecast {
  readonly name: string;
  readonly kind: Entity['kind'];
  readonly members: number;
  /** Members that run. */
  readonly run: number;
  /** Members that have completed and stay as they are; of these, how many get another number, or are accepted though something changed. */
  readonly done: number;
  readonly renumbered: number;
  readonly kept: number;
  /** Members among `done` whose directories come back from run/aside. */
  readonly broughtBack: number;
  /** Directories of former members, which are moved aside. */
  readonly removed: number;
  readonly reasons: readonly ForecastReason[];
  /** Why the members that are accepted would have run. */
  readonly keptReasons: readonly ForecastReason[];
  /** `4 new; 1 changed: KAPPA 0.5 → 0.6; 3 done`. */
  readonly text: string;
}

/** Members that run for one reason. */
export interface ForecastReason {
  readonly why: string;
  readonly count: number;
  /** Their indices: `0-3,7`. */
  readonly indices: string;
}

/** The run that is foretold. */
export interface ForecastInput {
  /** Where the results are. */
  readonly dir: string;
  readonly plan: Plan;
  readonly reader: StatusReader;
  readonly chosen?: MemberSelection;
  readonly fresh?: boolean;
  readonly keep?: boolean;
}

/** Forecasts what a run would do with every entity of a plan. */
export function foretell({ dir, plan, reader, ...options }: ForecastInput): Forecast[] {
  const { chosen = MemberSelection.all, fresh = false, keep = false } = options;
  reader.refresh();
  const rerun = new Rerun({
    dir,
    plan,
    statusOf: (name) => reader.of(name),
    chosen,
    fresh,
    keep,
    hasOutcomes: false,
    isRunning: (entity, { index }) => isHeld(memberPath(dir, entity, index)),
    runningStore: runningStoreOf(dir, plan),
  });
  return plan.entities.map((entity) => {
    const summary = rerun.summaryOf(entity);
    const { total, done, renumbered, kept, back, removed, groups, keptGroups } = summary;
    return {
      name: entity.name,
      kind: entity.kind,
      members: total,
      run: total - done,
      done,
      renumbered,
      kept,
      broughtBack: back,
      removed,
      reasons: groups.map(reasonOf),
      keptReasons: keptGroups.map(reasonOf),
      text: describeSummary(summary, !hasNumbers(entity)),
    };
  });
}

function reasonOf({ why, indices }: ReasonGroup): ForecastReason {
  return { why, count: indices.length, indices: formatRanges(indices) };
}

/** Most entities that have a line of their own where nothing runs. */
const mostQuiet = 10;

/** A line an entity; many of which nothing runs have one line together. */
export function forecastLines(forecasts: readonly Forecast[]): string[] {
  const isQuiet = ({ run, renumbered, removed, kept, broughtBack }: Forecast) =>
    run + renumbered + removed + kept + broughtBack === 0;
  const quiet = forecasts.filter(isQuiet);
  const shown = quiet.length > mostQuiet ? forecasts.filter((one) => !isQuiet(one)) : forecasts;
  // Alone, a state of the last run would read as the verdict on the one that begins.
  const isVerdict = ({ run, text }: Forecast) => run > 0 && /^(failed|interrupted)$/.test(text);
  const lines = shown.map((one) => `${one.name}: ${isVerdict(one) ? 'runs again: ' : ''}${one.text}`);
  return shown === forecasts ? lines : [...lines, `${quiet.length} others: done`];
}

/** The same, and below each line the members by reason. */
export function forecastDetails(forecasts: readonly Forecast[]): string[] {
  return forecasts.flatMap(({ name, kind, text, reasons, keptReasons }) => {
    if (kind === 'model') return [`${name}: ${text}`];
    const kept = keptReasons.map(({ why, count, indices }) => ({
      indices,
      why: describeKept({ why, indices: { length: count } }),
    }));
    return [
      `${name}: ${text}`,
      ...[...reasons, ...kept].map(({ why, indices }) => `  ${namesOf(name, indices)}: ${why}`),
    ];
  });
}

/** Most ranges of members that are named. */
const mostRanges = 8;

/** `bar_0 to bar_3, bar_7`. */
function namesOf(name: string, indices: string): string {
  const ranges = indices.split(',');
  const shown = ranges.slice(0, mostRanges).map((range) => {
    const [first, last] = range.split('-');
    if (last === undefined) return `${name}_${first}`;
    return Number(last) === Number(first) + 1
      ? `${name}_${first}, ${name}_${last}`
      : `${name}_${first} to ${name}_${last}`;
  });
  return ranges.length > mostRanges ? `${shown.join(', ')}, …` : shown.join(', ');
}
