import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../client/connection.js';
import { readSettings } from '../client/settings.js';
import { CheckpointLock } from '../orchestrator/checkpoint/lock.js';
import { holderName } from './server-config.js';
import type { Info } from './server-info.js';

/** Milliseconds for a replica to read what has come from its server, and between two looks. */
const reading = { mostMs: 2000, lookMs: 10 };

/** Milliseconds for a replica to get the first of what its server writes, and between two looks. */
const streaming = { mostMs: 5000, lookMs: 50 };

/** Milliseconds for the checkpoint of a server that has died to be let go before that is told, and at the end once more; and between two looks. */
const locking = { mostMs: 20_000, lookMs: 500 };

/** A replica: its address, the password of its holder, and its report of itself. */
export interface Replica {
  readonly address: string;
  readonly password: string;
  readonly refresh: () => Promise<Info>;
}

/**
 * Lets a replica take over the slots of the server that it follows, which has died, once it has read all that came from there; resolves when it
 * has them. Rejects if it has not got all data yet.
 */
export async function takeOverSlots({ address, password, refresh }: Replica): Promise<void> {
  const until = performance.now() + reading.mostMs;
  let info = await refresh();
  while (info.get('master_link_status') === 'up' && performance.now() < until) {
    await sleep(reading.lookMs);
    info = await refresh();
  }
  // A copy that has begun anew has no place in the stream of writes.
  const isWhole = info.get('slave_repl_offset') !== '1' && info.get('master_sync_in_progress') !== '1';
  if (!isWhole) throw new Error('it had not got all data yet');
  const settings = readSettings({ SSDB: address, SR_CONN_TIMEOUT: '0', SR_CMD_TIMEOUT: '0' });
  const holder = await Connection.open(settings.addresses[0] ?? { path: '' }, settings);
  try {
    await holder.send('AUTH', holderName, password);
    await holder.send('CLUSTER', 'FAILOVER', 'TAKEOVER');
  } finally {
    await holder.close();
  }
}

/**
 * Waits until a replica reads what its server writes, for a while at most. A server streams to a replica once that has said that it has the copy; it
 * may say so before the server knows that the copy has been sent, and would say it again a second later: until then nothing that the
 * server says yes to is with the replica.
 */
export async function followsStream({ address, refresh }: Omit<Replica, 'password'>): Promise<void> {
  const offset = async (): Promise<number> => Number((await refresh()).get('slave_repl_offset'));
  const until = performance.now() + streaming.mostMs;
  const before = await offset();
  // The server writes a sign of life each second.
  while ((await offset()) === before && performance.now() < until) {
    await sayAgain(address);
    await sleep(streaming.lookMs);
  }
}

/** Lets a replica tell its server what it has. It answers nothing to that. */
function sayAgain(address: string): Promise<void> {
  const [host = '', port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: streaming.lookMs * 10 });
    socket.on('error', () => undefined);
    socket.on('timeout', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
    socket.write('REPLCONF GETACK *\r\nQUIT\r\n');
  });
}

/** Options of the wait for a checkpoint. */
export interface LockWait {
  /** True once the store ends. */
  readonly isEnding: () => boolean;
  /** Called once if the wait is long: whoever holds the checkpoint may be cut off, or write much. */
  readonly onDelay: (reason: string) => void;
}

/** Locks a checkpoint as soon as the holder of the server that has died lets it go. Rejects if it does not until the store ends. */
export async function lockWhenFree(file: string, { isEnding, onDelay }: LockWait): Promise<CheckpointLock> {
  let until = performance.now() + locking.mostMs;
  let isTold = false;
  let wasEnding = false;
  for (;;) {
    try {
      return await CheckpointLock.take(file);
    } catch (error) {
      const now = performance.now();
      if (isEnding() && !wasEnding) {
        wasEnding = true;
        until = now + locking.mostMs;
      }
      if (now > until && wasEnding) throw error;
      if (now > until && !isTold) {
        isTold = true;
        onDelay((error as Error).message);
      }
      await sleep(locking.lookMs);
    }
  }
}
