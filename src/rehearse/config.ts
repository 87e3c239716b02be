import type { Memory } from './afterwards.js';
import type { Fault } from './faults.js';
import type { RehearsalRecord } from './record.js';

/** Settings of a rehearsal's server, which it reads from a file. */
export interface ServerConfig {
  /** The copy of the compiled folder that is run. */
  readonly dir: string;
  /** Folder of the rehearsal's own files, for this user only. */
  readonly state: string;
  readonly isolation: 'namespaces' | 'plain';
  readonly nodes?: number;
  readonly speed: number;
  readonly faults: readonly Fault[];
  /** Seconds that each process of an application takes, where it is not run. */
  readonly stubSeconds?: number;
  /** Arguments of submit.sh. */
  readonly submitWords: readonly string[];
  readonly user: { readonly name: string; readonly uid: number };
  /** Paths that all hosts see, also below /tmp. */
  readonly shared: readonly string[];
  readonly standIn: string;
}

/** Lines that the server prints. */
export type ServerReport =
  | { readonly progress: string; readonly at: number }
  | { readonly record: RehearsalRecord; readonly memory: Memory };
