import type { Socket } from 'node:net';
import { keysOf } from '../commands/table.js';
import type { ErrorReply } from '../resp/reply.js';
import { type AnsweredError, formatError, namesOf } from './error-line.js';
import type { PeerNames } from './peer-names.js';

/** Kinds of errors (client, command, keys, text) beyond which further ones are not listed: a log is no place for a million keys. */
const mostKinds = 5000;

/** A client as far as the log needs to know it. */
export interface LoggedClient {
  readonly socket: Socket;
  who: string | undefined;
}

interface Kind {
  readonly error: Omit<AnsweredError, 'times'>;
  times: number;
  written: number;
}

/**
 * Logs the errors that clients are answered with, each with who asked for what. One that is repeated is written at its 1st, 10th, 100th …
 * time, and the total when the store ends.
 */
export class ErrorLog {
  readonly #kinds = new Map<string, Kind>();
  readonly #names: PeerNames;
  readonly #write: (message: string) => void;
  #isFull = false;

  constructor(names: PeerNames, write: (message: string) => void) {
    this.#names = names;
    this.#write = write;
  }

  /**
   * Notes an error before it is sent. Returns what to wait for until then, where the client is still to be found out: once it has its answer,
   * it may be gone.
   */
  note(client: LoggedClient, words: readonly Buffer[], { text }: ErrorReply): Promise<void> | undefined {
    const asked = namesOf(words, keysOf(words));
    // Clients ask for the newest protocol first, and take another when it is refused.
    if (asked.command === 'HELLO') return undefined;
    if (client.who !== undefined) {
      this.#add({ who: client.who, ...asked, text });
      return undefined;
    }
    return this.#names.nameOf(client.socket).then((who) => {
      client.who = who;
      this.#add({ who, ...asked, text });
    });
  }

  /** Writes how often each error has come. */
  close(): void {
    for (const kind of this.#kinds.values()) if (kind.times > kind.written) this.#say(kind);
    this.#kinds.clear();
  }

  #add(error: Omit<AnsweredError, 'times'>): void {
    const id = JSON.stringify([error.who, error.command, error.keys, error.text]);
    let kind = this.#kinds.get(id);
    if (kind === undefined) {
      if (this.#kinds.size >= mostKinds) {
        if (!this.#isFull) this.#write(`errors of ${mostKinds} kinds have been answered; further kinds are not listed`);
        this.#isFull = true;
        return;
      }
      kind = { error, times: 0, written: 0 };
      this.#kinds.set(id, kind);
    }
    kind.times += 1;
    if (kind.times >= 10 * kind.written) this.#say(kind);
  }

  #say(kind: Kind): void {
    kind.written = kind.times;
    this.#write(formatError({ ...kind.error, times: kind.times }));
  }
}
