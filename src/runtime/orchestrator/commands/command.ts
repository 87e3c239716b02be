import type { Inference } from '../inference/index.js';
import type { ErrorReply, Reply } from '../resp/reply.js';
import type { Keyspace } from '../store/keyspace.js';
import type { AbandonedWork, RunningWork } from './running-work.js';
import type { ServerFacts } from './server-facts.js';

/** The connection that a command came on. */
export interface ClientFacts {
  readonly id: number;
  /** `host:port` or a socket path. */
  readonly peer: string;
  /** Where the client reached this server; undefined on a Unix socket. */
  readonly reachedAt: { readonly host: string; readonly port: number } | undefined;
  readonly connectedAtMs: number;
  name: Buffer;
  /** The connection is to end once the reply is written. */
  quitting: boolean;
  /** It has sent HELLO, CLIENT or COMMAND, which SmartRedis never does: it reads replies as they are. */
  introduced: boolean;
  /** What it waits for, where that is worth remembering should it go. */
  work: RunningWork | undefined;
}

/** What a command works with. */
export interface CommandContext {
  readonly store: Keyspace;
  readonly inference: Inference;
  readonly server: ServerFacts;
  readonly client: ClientFacts;
  readonly abandoned: AbandonedWork;
  /** Hears of an error before it is sent; what it returns is waited for until then. */
  readonly onError?: OnError;
}

/** Hears of an error that a request is answered with. */
export type OnError = (words: readonly Buffer[], reply: ErrorReply) => Promise<void> | undefined;

/** `write` changes keys; `denyoom` is refused when memory is used up. */
export type CommandFlag = 'write' | 'readonly' | 'denyoom' | 'fast' | 'admin';

/** One command. */
export interface Command {
  /** Lower case. */
  readonly name: string;
  /** Words with the name; negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** First key, last key (negative: from the end), step; zeros for none. */
  readonly keys: readonly [first: number, last: number, step: number];
  /** Clients look at the reply only for errors, so that a late one may come nested in arrays. */
  readonly mayNest?: boolean;
  /** Needs its words beyond the call: it is given words of their own. All others' hold only until the call returns. */
  readonly keepsWords?: boolean;
  /** The words start with the command's name. Errors to the client are thrown as {@link CommandError}. */
  run(context: CommandContext, words: Buffer[]): Reply | Promise<Reply>;
}

/** A refusal: the message is the error line. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
