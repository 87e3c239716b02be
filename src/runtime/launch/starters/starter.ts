/** A process to be started. */
export interface ProcessLaunch {
  readonly line: readonly string[];
  readonly directory: string;
  /** Its output goes to NAME.out and NAME.err in the directory; its standard input is empty. */
  readonly name: string;
  /** Its variables beside those of the job. */
  readonly variables: Readonly<Record<string, string>>;
}

/** End of a process as its parent tells it: a code, a signal, or a code that names a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that has been started, the leader of a process group of its own. */
export interface StartedProcess {
  readonly pid: number;
  /**
   * How it ended; `undefined` when that cannot be known, because what started it has gone. Rejects with the system's error when its
   * program could not be executed after all.
   */
  readonly ended: Promise<ProcessEnd | undefined>;
}

/** A way of starting processes. */
export interface Starter {
  /** Starts one; rejects with the system's error when that is not possible. */
  start(launch: ProcessLaunch): Promise<StartedProcess>;
  /** Nothing more will be started. Returns when nothing of the starter's own is left. */
  close(): Promise<void>;
}
