import type { RunState } from './standins.js';

/** A run of a job in the record of a rehearsal. Moments are seconds since its start. */
export interface RunRecord {
  readonly job: string;
  readonly id: string;
  readonly index?: number;
  readonly state: RunState;
  readonly exitCode?: number;
  readonly waitsFor?: string;
  /** True if it lost a node, and another run of the job has come in its place. */
  readonly requeued?: boolean;
  readonly submittedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly nodes: readonly { readonly name: string; readonly cpus: number; readonly gpus: number }[];
}

/** A launch in the record: a store, or an application's member. */
export interface StepRecord {
  readonly job: string;
  readonly id: string;
  readonly index?: number;
  readonly number: number;
  readonly name: string;
  readonly kind: 'store' | 'application';
  readonly askedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly exitCode?: number;
  /** CPUs and GPUs of its ranks on each node. */
  readonly nodes: readonly {
    readonly name: string;
    readonly cpus: number;
    readonly gpus: number;
    readonly ranks: number;
  }[];
  readonly overlaps: boolean;
}

/** Something that would have failed, and where. */
export interface Finding {
  readonly kind:
    | 'refused'
    | 'ignored directive'
    | 'dead-lock'
    | 'never run'
    | 'no output folder'
    | 'lost exit code'
    | 'left behind'
    | 'submission';
  /** `jobs/sweep.sbatch:12`, `job sweep`. */
  readonly where: string;
  readonly what: string;
}

/** Record of a rehearsal: timeline.json. */
export interface RehearsalRecord {
  readonly version: 1;
  readonly experiment: string;
  readonly scheduler: string;
  readonly isolation: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly cpus: number;
    readonly gpus: number;
    readonly memoryMiB: number;
  }[];
  readonly seconds: number;
  readonly runs: readonly RunRecord[];
  readonly steps: readonly StepRecord[];
  readonly findings: readonly Finding[];
  readonly faults: readonly string[];
  /** Exit code of submit.sh. */
  readonly submitted: number;
}
