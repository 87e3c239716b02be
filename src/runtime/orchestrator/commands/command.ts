import type { AiContext } from '../ai/ai-context.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { ErrorReply, Reply } from '../resp/reply.js';
import type { BlockedClients } from './blocked-clients.js';
import type { ClientFacts } from './client-facts.js';
import type { CommandFacts, Prepared } from './command-facts.js';
import type { ServerFacts } from './server-facts.js';

export type { ClientFacts } from './client-facts.js';
export type { Prepared } from './command-facts.js';

/** State that commands on tensors, models and scripts work with: all of it can be had beside another store, too. */
export interface AiCommandContext extends AiContext {
  /** Hears of an error before it is sent; what it returns is waited for until then. */
  readonly onError?: OnError;
}

/** State that commands work with. */
export interface CommandContext extends AiCommandContext {
  readonly keyspace: Keyspace;
  readonly server: ServerFacts;
  readonly client: ClientFacts;
  readonly blocked: BlockedClients;
}

/** Hears of an error that a request is answered with. */
export type OnError = (words: readonly Buffer[], reply: ErrorReply) => Promise<void> | undefined;

/** One command. */
export interface Command<Context = CommandContext> extends CommandFacts {
  /** The words start with the command's name. Errors to the client are thrown as {@link CommandError}. */
  run(context: Context, words: Buffer[]): Reply | Promise<Reply>;
  /** Does slow work before EXEC, whose commands run without a pause. Undefined if there is no such work this time. */
  prepare?(context: Context, words: Buffer[]): Promise<Prepared> | undefined;
}

/** A command on tensors, models and scripts. */
export type AiCommand = Command<AiCommandContext>;

/** A refusal: the message is the error line. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
