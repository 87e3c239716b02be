import type { AiContext } from '../ai/ai-context.js';
import type { ErrorReply, Reply } from '../resp/reply.js';
import type { Keyspace } from '../store/keyspace.js';
import type { BlockedClients } from './blocked-clients.js';
import type { ClientFacts } from './client-facts.js';
import type { ServerFacts } from './server-facts.js';

export type { ClientFacts } from './client-facts.js';

/** State that commands on tensors, models and scripts work with: all of it can be had beside another store, too. */
export interface AiCommandContext extends AiContext {
  /** Hears of an error before it is sent; what it returns is waited for until then. */
  readonly onError?: OnError;
}

/** State that commands work with. */
export interface CommandContext extends AiCommandContext {
  readonly store: Keyspace;
  readonly server: ServerFacts;
  readonly client: ClientFacts;
  readonly blocked: BlockedClients;
}

/** Hears of an error that a request is answered with. */
export type OnError = (words: readonly Buffer[], reply: ErrorReply) => Promise<void> | undefined;

/** `write` changes keys; `denyoom` is refused when memory is used up. */
export type CommandFlag = 'write' | 'readonly' | 'denyoom' | 'fast' | 'admin' | 'blocking';

/** One command. */
export interface Command<Context = CommandContext> {
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
   * Behaviour after MULTI, if it is not queued: it runs at once, it is refused, or it is refused with RedisAI's error for commands that
   * run models and scripts.
   */
  readonly inTransaction?: 'runs' | 'refused' | 'execution';
  /** True if it needs its words beyond the call: they get memory of their own. Other commands' words hold only until the call returns. */
  readonly keepsWords?: boolean;
  /** The words start with the command's name. Errors to the client are thrown as {@link CommandError}. */
  run(context: Context, words: Buffer[]): Reply | Promise<Reply>;
  /** Does slow work before EXEC, whose commands run without a pause. Undefined if there is no such work this time. */
  prepare?(context: Context, words: Buffer[]): Promise<Prepared> | undefined;
}

/** A command on tensors, models and scripts. */
export type AiCommand = Command<AiCommandContext>;

/** A command of which only the last step is left to do. */
export interface Prepared {
  /** Errors are thrown as by {@link Command.run}. */
  commit(): Reply;
  /** Gives up what has been prepared, instead of {@link commit}. */
  drop(): void;
}

/** A refusal: the message is the error line. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
