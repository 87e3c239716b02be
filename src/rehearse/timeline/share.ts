import type { RehearsalRecord, RunRecord, StepRecord } from '../record.js';

/** Use of a node by jobs and applications, in seconds and shares. */
export interface NodeUse {
  readonly node: string;
  /** Seconds in which a job held it. */
  readonly heldSeconds: number;
  /** Seconds in which an application ran on it. */
  readonly workSeconds: number;
  /** Shares of what jobs held of it that no application and no store used; `undefined` where they held none. */
  readonly idleCpus: number | undefined;
  readonly idleGpus: number | undefined;
}

/** Use of each node, and the share of node-hours in which applications ran. */
export interface Use {
  readonly nodes: readonly NodeUse[];
  readonly share: number | undefined;
}

export function useOf(record: RehearsalRecord): Use {
  const nodes = record.nodes.map(({ name }) => nodeUse(record, name));
  const held = nodes.reduce((sum, { heldSeconds }) => sum + heldSeconds, 0);
  const work = nodes.reduce((sum, { workSeconds }) => sum + workSeconds, 0);
  return { nodes, share: held === 0 ? undefined : work / held };
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly cpus: number;
  readonly gpus: number;
}

/** Runs and launches of a record on a node, as spans of time with what they have there. */
function spansOn(record: RehearsalRecord, node: string) {
  const spanOf = (one: RunRecord | StepRecord): Span[] => {
    const own = one.nodes.find(({ name }) => name === node);
    const { startedAt, endedAt = record.seconds } = one;
    return own === undefined || startedAt === undefined
      ? []
      : [{ from: startedAt, to: endedAt, cpus: own.cpus, gpus: own.gpus }];
  };
  const isOf = (run: RunRecord | undefined) => (one: RunRecord | StepRecord) =>
    run === undefined || (one.id === run.id && one.index === run.index);
  return {
    runs: (run?: RunRecord) => record.runs.filter(isOf(run)).flatMap(spanOf),
    steps: (run?: RunRecord, kind?: StepRecord['kind']) =>
      record.steps
        .filter(isOf(run))
        .filter((step) => kind === undefined || step.kind === kind)
        .flatMap(spanOf),
  };
}

/** Shares of what is held that nobody uses. */
function idleShares(held: readonly Span[], used: readonly Span[]): Pick<NodeUse, 'idleCpus' | 'idleGpus'> {
  const area = (spans: readonly Span[], part: 'cpus' | 'gpus') =>
    spans.reduce((sum, one) => sum + (one.to - one.from) * one[part], 0);
  const idle = (part: 'cpus' | 'gpus') =>
    area(held, part) === 0 ? undefined : Math.max(0, 1 - area(used, part) / area(held, part));
  return { idleCpus: idle('cpus'), idleGpus: idle('gpus') };
}

function nodeUse(record: RehearsalRecord, node: string): NodeUse {
  const { runs, steps } = spansOn(record, node);
  return {
    node,
    heldSeconds: covered(runs()),
    workSeconds: covered(steps(undefined, 'application')),
    ...idleShares(runs(), steps()),
  };
}

/** Shares of a run's CPUs and GPUs of a node that none of its launches used. */
export function idleIn(record: RehearsalRecord, run: RunRecord, node: string): Pick<NodeUse, 'idleCpus' | 'idleGpus'> {
  const { runs, steps } = spansOn(record, node);
  return idleShares(runs(run), steps(run));
}

/** Seconds that spans cover together. */
function covered(spans: readonly { readonly from: number; readonly to: number }[]): number {
  let [sum, until] = [0, Number.NEGATIVE_INFINITY];
  for (const { from, to } of [...spans].sort((one, other) => one.from - other.from)) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
}

/** Work of a node at a moment. */
export type Activity = 'free' | 'waiting' | 'held' | 'store' | 'running';

/** Activity of a run's node at a moment: it waits for the node, holds it (staging, loading, tearing down), has a store, or runs an application. */
export function activityAt(
  record: RehearsalRecord,
  run: RehearsalRecord['runs'][number],
  node: string,
  at: number,
): Activity {
  const { submittedAt, startedAt = Number.POSITIVE_INFINITY, endedAt = record.seconds } = run;
  if (at < submittedAt || at >= endedAt) return 'free';
  if (at < startedAt) return 'waiting';
  const isOn = (step: StepRecord) =>
    step.id === run.id &&
    step.index === run.index &&
    step.nodes.some(({ name }) => name === node) &&
    (step.startedAt ?? Number.POSITIVE_INFINITY) <= at &&
    at < (step.endedAt ?? record.seconds);
  const running = record.steps.filter(isOn);
  if (running.some(({ kind }) => kind === 'application')) return 'running';
  return running.length > 0 ? 'store' : 'held';
}

/** Title of a run: its job, and its element in an array. */
export function runTitle({ job, index }: { readonly job: string; readonly index?: number }): string {
  return index === undefined ? job : `${job}[${index}]`;
}

/** `12 %`, or a dash where there is none. */
export function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${Math.round(share * 100)} %`;
}
