import { counted } from '../diagnostics/index.js';
import type { TargetName } from '../ir/index.js';

/** Level of a finding: all is well, worth knowing, or Simwright cannot work. */
export type FindingLevel = 'ok' | 'warning' | 'problem';

/** One line of doctor's checklist. */
export interface Finding {
  readonly topic: string;
  readonly verdict: FindingLevel;
  readonly message: string;
  /** Advice on what to do. */
  readonly advice?: string;
}

/** Result of a probe: facts for programs, findings for people. */
export interface Probed<Facts = unknown> {
  readonly facts: Facts;
  readonly findings: readonly Finding[];
}

/** A program's answer to a question. */
export interface ProbeAnswer {
  readonly ok: boolean;
  readonly stdout: string;
  /** Why there is no answer: the first line of its errors. */
  readonly why: string;
}

/** Runs a program and waits for its answer, not for ever. */
export type Ask = (program: string, ...words: readonly string[]) => Promise<ProbeAnswer>;

/** Nodes of one shape. */
export interface NodeShape {
  readonly nodes: number;
  readonly cores: number;
  /** Hardware threads of a core, where the scheduler counts those as CPUs. @default it counts cores */
  readonly threadsPerCore?: number;
  readonly gpus: number;
  readonly memoryMiB: number | undefined;
}

/** A partition or queue. */
export interface Queue {
  readonly name: string;
  readonly isDefault: boolean;
  readonly shapes: readonly NodeShape[];
  /** As the scheduler writes it. */
  readonly maxWalltime?: string;
  /** Nodes that one job may have. */
  readonly maxNodes?: number;
}

/** Facts about a scheduler and its cluster, in words that all schedulers share. */
export interface SchedulerFacts {
  readonly name: TargetName;
  readonly version: string | undefined;
  /** True if its server has answered. */
  readonly answers: boolean;
  readonly cluster?: string;
  readonly queues: readonly Queue[];
  readonly maxArraySize?: number;
  /** Memory that a job gets that names none, as the scheduler writes it. */
  readonly defaultMemory?: string;
  /** Ended jobs can be asked for. Undefined where that is not known. */
  readonly hasAccounting?: boolean;
}

/** A scheduler that is installed and whose server says nothing. */
export function noAnswer(
  name: SchedulerFacts['name'],
  version: string | undefined,
  why: string,
): Probed<SchedulerFacts> {
  const message = `${name}${version === undefined ? '' : ` ${version}`} does not answer: ${why}`;
  const advice = "is its server up, and is this one of its hosts? Its configuration may need the site's module";
  return {
    facts: { name, version, answers: false, queues: [] },
    findings: [{ topic: 'Scheduler', verdict: 'problem', message, advice }],
  };
}

/** The lines of the checklist about a scheduler that has answered. */
export function describeScheduler(facts: SchedulerFacts): Finding[] {
  const { name, version, cluster, queues, maxArraySize, defaultMemory } = facts;
  const limits = [
    ...(maxArraySize === undefined ? [] : [`job arrays of ${maxArraySize}`]),
    ...(defaultMemory === undefined ? [] : [`${defaultMemory} unless a job says`]),
  ];
  const lines = queues.map(({ name: queue, isDefault, shapes, maxWalltime }) => {
    const nodes = shapes.map(describeShape).join(' and ');
    const limit = maxWalltime === undefined ? '' : `, at most ${maxWalltime}`;
    return `${queue}${isDefault ? ' (default)' : ''}: ${nodes || 'no nodes'}${limit}`;
  });
  const who = `${name}${version === undefined ? '' : ` ${version}`}${cluster === undefined ? '' : `, cluster ${cluster}`}`;
  return [
    { topic: 'Scheduler', verdict: 'ok', message: [who, ...limits].join(', ') },
    ...lines.map((message): Finding => ({ topic: 'Queue', verdict: 'ok', message })),
  ];
}

function describeShape({ nodes, cores, gpus, memoryMiB }: NodeShape): string {
  const parts = [
    counted(cores, 'core'),
    ...(gpus === 0 ? [] : [counted(gpus, 'GPU')]),
    ...(memoryMiB === undefined ? [] : [`${memoryMiB} MiB`]),
  ];
  return `${counted(nodes, 'node')} of ${parts.join(', ')}`;
}

/** Nodes one by one as shapes with numbers, most frequent first. */
export function gatherShapes(nodes: readonly Omit<NodeShape, 'nodes'>[]): NodeShape[] {
  const shapes = new Map<string, NodeShape>();
  for (const { cores, gpus, memoryMiB } of nodes) {
    const key = [cores, gpus, memoryMiB].join();
    shapes.set(key, { nodes: (shapes.get(key)?.nodes ?? 0) + 1, cores, gpus, memoryMiB });
  }
  return [...shapes.values()].sort((a, b) => b.nodes - a.nodes);
}
