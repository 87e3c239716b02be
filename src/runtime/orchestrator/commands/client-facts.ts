import type { RunningWork } from '../ai/abandoned-work.js';
import type { Protocol, Reply } from '../resp/reply.js';
import type { Transaction } from './transaction.js';
import type { WatchedKeys } from './watched-keys.js';

/** The connection that a command came on. */
export interface ClientFacts {
  readonly id: number;
  /** `host:port` or a socket path. */
  readonly peer: string;
  /** Address at which the client reached this server; undefined on a Unix socket. */
  readonly reachedAt: { readonly host: string; readonly port: number } | undefined;
  readonly connectedAtMs: number;
  name: Buffer;
  /** Version of the protocol that replies are written in. */
  protocol: Protocol;
  /** The connection is to end once the reply is written. */
  quitting: boolean;
  /** It has sent HELLO, CLIENT or COMMAND, which SmartRedis never does: it reads replies as they are. */
  introduced: boolean;
  /** It has sent what only SmartRedis sends. */
  isSmartRedis: boolean;
  /** It is shown every command. */
  monitors: boolean;
  /** Work that the client waits for, if it is worth remembering should the client disconnect. */
  work: RunningWork | undefined;
  /** Commands since MULTI. */
  transaction: Transaction | undefined;
  /** True while EXEC runs its commands: none of them may wait. */
  executing: boolean;
  /** Keys that EXEC must find unchanged. */
  watched: WatchedKeys | undefined;
  /** A command that waits for something to happen. */
  blocked: Blocked | undefined;
}

/** A command that waits for something to happen. */
export interface Blocked {
  /** Ends the wait with this reply, or with the one for a wait that was too long. */
  end(reply?: Reply): void;
}

/** A connection that has just been made. */
export function newClient(
  facts: Pick<ClientFacts, 'id' | 'peer' | 'reachedAt'> & { readonly connectedAtMs?: number },
): ClientFacts {
  return {
    connectedAtMs: Date.now(),
    ...facts,
    name: Buffer.alloc(0),
    protocol: 2,
    quitting: false,
    introduced: false,
    isSmartRedis: false,
    monitors: false,
    work: undefined,
    transaction: undefined,
    executing: false,
    watched: undefined,
    blocked: undefined,
  };
}

/** Lets go of whatever a connection holds that has ended. */
export function leave(client: ClientFacts): void {
  client.blocked?.end();
  forgetTransaction(client);
}

/** Ends MULTI and WATCH, whichever there are. */
export function forgetTransaction(client: ClientFacts): void {
  client.transaction?.end();
  client.transaction = undefined;
  client.watched?.end();
  client.watched = undefined;
}
