import type { EvictionPolicy } from '../../ir/eviction-policies.js';
import type { BackendName } from '../../ml/backends.js';
import type { WarmUp } from './ai/warm-up.js';
import type { CheckpointRecord, SavedStore, StaleKeys } from './checkpoint/record.js';
import type { Backends, WorkerFacts } from './inference/index.js';

/** A TCP port to listen on. */
export interface TcpListen {
  readonly kind: 'tcp';
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

/** A Unix socket to listen on. */
export interface UnixListen {
  readonly kind: 'unix';
  /** At most 107 bytes. */
  readonly path: string;
  /** Mode bits such as `0o700`. */
  readonly permissions: number;
}

/** Options of an orchestrator. */
export interface OrchestratorOptions {
  readonly listen: readonly (TcpListen | UnixListen)[];
  /** Version of the package, as `INFO` tells it. */
  readonly version?: string;
  /**
   * Peers beyond loopback that are served: fixed addresses, and a folder whose file names are addresses, read again
   * when an unknown peer connects. Default: none.
   */
  readonly allow?: { readonly addresses?: readonly string[]; readonly folder?: string };
  /** Serve only processes of this user where the peer is on this host. Default true. */
  readonly peerCheck?: boolean;
  /** Absolute path of the onnxruntime-node package folder or its entry; without it storing an ONNX model is an error. */
  readonly onnxRuntime?: string;
  /** ONNX Runtime is made ready before the first model comes. Default true. */
  readonly expectsModels?: boolean;
  /** Backends beside the built-in ones, which the module at `workerUrl` must know, too. Default: none. */
  readonly backends?: Backends;
  /**
   * Name or path of the Python in which worker processes run models of TORCH, TF and TFLITE, scripts, and ONNX models where the bundled
   * ONNX Runtime cannot. Default: `$SIMWRIGHT_PYTHON`, else `python3` on the PATH.
   */
  readonly python?: string;
  /** Backends whose workers are started and warmed up before the first client is served; on `device`, or on the CPU. Default: none. */
  readonly preloadBackends?: readonly (BackendName | { readonly backend: BackendName; readonly device: string })[];
  /** Inference threads, or worker processes, a device. Default 1. */
  readonly threadsPerQueue?: number;
  /** Threads between and within operators; 0 or absent leaves the choice to the framework. */
  readonly interOpThreads?: number;
  readonly intraOpThreads?: number;
  /** Longest time for one run of a model; one that takes longer is stopped. Default 60. */
  readonly executionTimeoutSeconds?: number;
  /** Devices that others stand in for: `{ 'GPU:0': 'CPU' }` lets models for GPUs run without one. */
  readonly mapDevice?: Readonly<Record<string, string>>;
  /** Devices that models may ask for, besides those that others stand in for. Default: all. */
  readonly devices?: readonly string[];
  /**
   * Microseconds for which its threads look for the next request after one before they sleep, as long as that pays. 0: they sleep at
   * once. Default 500, on a single CPU 0.
   */
  readonly busyPollMicros?: number;
  /** Default 10,000. */
  readonly maxClients?: number;
  /** Writes beyond it are refused, or make room as `evictionPolicy` says. 0 or absent: no limit. */
  readonly maxMemoryBytes?: number;
  /** Keys that are evicted when memory is used up. Default `noeviction`. */
  readonly evictionPolicy?: EvictionPolicy;
  /** The file that `SAVE` writes, read when the orchestrator starts. */
  readonly checkpointFile?: string;
  /** File that `SAVE` writes without a `checkpointFile`. It is not read at the start. Default: none. */
  readonly saveFile?: string;
  /** Saves what has changed to `checkpointFile` every so many seconds. */
  readonly checkpointSeconds?: number;
  /** Writes down what the file holds, for those who ask later. Default: nobody does. */
  readonly checkpointRecord?: CheckpointRecord;
  /** Keys that are not brought back from `checkpointFile`, asked for if there is such a file. Default: none. */
  readonly staleKeys?: () => Promise<StaleKeys>;
  /** Identity of this start, as the record names it, and the nodes that it runs on. Default: its `runId`, on one node. */
  readonly storeId?: string;
  readonly nodes?: number;
  /** The longest argument. Default 4 GiB less 1. */
  readonly maxBulkBytes?: number;
  /** The module that the inference thread runs; it calls `runInferenceWorker()`. Default: the one beside this code. */
  readonly workerUrl?: URL;
  /** Called when a client sends `SHUTDOWN`; without it that is refused. */
  readonly onShutdown?: () => void;
  /** Log each command, at the level `debug`. */
  readonly logCommands?: boolean;
  readonly log?: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}

/** Counts of what an orchestrator has done and holds. */
export interface OrchestratorStats {
  readonly usedBytes: number;
  readonly keys: number;
  readonly clients: number;
  readonly requests: number;
  readonly inferences: number;
  /** Memory that the server takes, where that is a process of its own. */
  readonly residentBytes?: number;
  /** Connections of strangers. */
  readonly refused: number;
  /** Worker processes that run. */
  readonly workers: readonly WorkerFacts[];
  /** Servers of a cluster that run on this node; absent if the store is in one piece. */
  readonly shards?: readonly ShardStats[];
}

/** The other server of a shard, as the one that serves sees it: `down` until it has been started again, `disconnected` while the network is cut. */
export interface ReplicaStats {
  /** `host:port`. */
  readonly address: string;
  /** Name of its host. */
  readonly host: string;
  readonly state: 'in sync' | 'copying' | 'disconnected' | 'down';
}

/** A replica's taking over the slots of the server that it followed. Places are `host:port`. */
export interface TakeOver {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly from: string;
  readonly to: string;
}

/** Counts of the server of a cluster that has the slots of a shard. */
export interface ShardStats {
  /** Number of its shard, from 1. */
  readonly shard: number;
  /** `host:port`. */
  readonly address: string;
  /** Name of its host. */
  readonly host: string;
  /** The first and the last of its slots. */
  readonly first: number;
  readonly last: number;
  readonly usedBytes: number;
  readonly keys: number;
  readonly clients: number;
  readonly requests: number;
  /** ML models that it holds; RedisAI does not tell. */
  readonly models?: number | undefined;
  /** Absent, as are the take-overs, in a cluster without replicas. */
  readonly replica?: ReplicaStats;
  /** Take-overs of its shard since the store was started, the first one first. */
  readonly takeOvers?: readonly TakeOver[];
}

/** A running orchestrator. */
export interface Orchestrator {
  /** `host:port` or `unix://PATH`, as `SSDB` wants them, in the order of `listen`. */
  readonly addresses: readonly string[];
  /** Tells this process from any other: `run_id` of `INFO server`. */
  readonly runId: string;
  stats(): OrchestratorStats;
  /** Asks the processes that it consists of for their counts, which {@link stats} tells at most a second late. Never rejects. */
  refreshStats(): Promise<void>;
  /**
   * Runs each of the models at these keys once on zeros, where it tells the types of its inputs, so that no client waits for what a first
   * run makes ready. Never rejects.
   */
  warmUp(keys: readonly string[]): Promise<readonly WarmUp[]>;
  /** Starts of stores whose keys it has read from its checkpoint, as the record names them. */
  readonly restored: readonly SavedStore[];
  /**
   * Answers what has been asked, ends the connections, saves if that is wanted, ends the threads, and removes the socket file.
   * `save` is true by default where `checkpointSeconds` is given. Rejects, when all else is done, if it could not save.
   */
  close(save?: boolean): Promise<void>;
  /**
   * True after {@link close} if a model still runs that nothing can stop but the end of the process by force: Node waits for its thread
   * otherwise.
   */
  readonly isStuck: boolean;
}
