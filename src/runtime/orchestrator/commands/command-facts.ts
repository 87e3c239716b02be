import type { Reply } from '../resp/reply.js';

/** `write` changes keys; `denyoom` is refused when memory is used up. */
export type CommandFlag = 'write' | 'readonly' | 'denyoom' | 'fast' | 'admin' | 'blocking';

/** Properties of a command. */
export interface CommandFacts {
  /** Lower case. */
  readonly name: string;
  /** Number of words, the name included; a negative number is the least. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** First key, last key (negative: from the end), step; zeros for none. */
  readonly keys: readonly [first: number, last: number, step: number];
  /** Clients look at the reply only for errors, so that a late one may come nested in arrays. */
  readonly mayNest?: boolean;
  /**
   * Behaviour after MULTI, if it is not queued and run by EXEC: it runs at once, it is refused, or, as commands that run models and scripts are,
   * it is queued and refused by EXEC.
   */
  readonly inTransaction?: 'runs' | 'refused' | 'execution';
  /** True if it needs its words beyond the call: they get memory of their own. Other commands' words hold only until the call returns. */
  readonly keepsWords?: boolean;
}

/** A command of which only the last step is left to do. */
export interface Prepared {
  /** Errors are thrown as by Command.run. */
  commit(): Reply;
  /** Gives up what has been prepared, instead of {@link commit}. */
  drop(): void;
}
