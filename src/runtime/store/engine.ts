import type { Plan, Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import type { OrchestratorStats, SavedStore } from '../orchestrator/index.js';
import type { Holder } from './holder.js';
import type { LogFile } from './log-file.js';

/** Command line that the supervisor gives a store's process. */
export interface StoreArguments {
  readonly store: string;
  /** Overrides the plan's. */
  readonly port: number | undefined;
  readonly onnxRuntime: string | undefined;
  readonly python: string | undefined;
  /** Ports of a cluster's servers on this node; default: the plan's, or free ones. */
  readonly ports?: readonly number[] | undefined;
  /** Identity of this start. */
  readonly id: string | undefined;
  /** The bundle, which is also the inference thread's module. */
  readonly workerUrl: URL;
}

/** A store to start on this node. */
export interface EngineStart {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly store: Store;
  readonly args: StoreArguments;
  readonly log: LogFile;
  /** Gives this node its part of a cluster. */
  readonly arrange: Holder['arrange'];
  /** Tells what becomes of its servers here, and takes news of those of other nodes. */
  readonly say: Holder['say'];
  readonly hear: Holder['hear'];
}

/** A store on this node: it listens. */
export interface Engine {
  /** `host:port` or `unix://PATH`, as `SSDB` wants them. */
  readonly addresses: readonly string[];
  /** Positions of its servers in the cluster, in the order of their addresses; none if it is in one piece. */
  readonly shards: readonly number[];
  /** Tells this process from any other. */
  readonly runId: string;
  /** Starts of stores whose keys it has read from its checkpoint. */
  readonly restored: readonly SavedStore[];
  /** Loads the plan's models and scripts; resolves when applications may come. @throws WorkflowError */
  ready(): Promise<void>;
  stats(): OrchestratorStats;
  /** Brings what {@link stats} tells up to date. Never rejects. */
  refreshStats(): Promise<void>;
  /** Takes no more writes from clients, where others may have taken over; it is about to end. */
  stopWrites?(): Promise<void>;
  /** Answers what has been asked and ends, with a checkpoint if that is wanted. Rejects, ended, if none could be written. */
  stop(checkpoint: boolean): Promise<void>;
  /** True after {@link stop} if only the end of this process by force ends all of it. */
  readonly isStuck: boolean;
}

/** Starts an engine; resolves when it listens. @throws WorkflowError */
export type StartEngine = (start: EngineStart) => Promise<Engine>;
