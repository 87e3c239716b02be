import { ok } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { integer, rangeInteger } from './words.js';

/** `TIME`: seconds since 1970 and microseconds within the second. */
const time: Command = {
  name: 'time',
  arity: 1,
  flags: ['fast'],
  keys: [0, 0, 0],
  run() {
    const micros = Math.floor((performance.timeOrigin + performance.now()) * 1000);
    return [String(Math.floor(micros / 1e6)), String(micros % 1e6)];
  },
};

/** `ROLE`: a master without replicas. */
const role: Command = { name: 'role', arity: 1, flags: ['fast'], keys: [0, 0, 0], run: () => ['master', 0, []] };

/** `WAIT replicas ms`: there are none, so that it waits as long as it may for any; returns how many have what was written. */
const wait: Command = {
  name: 'wait',
  arity: 3,
  flags: ['blocking'],
  keys: [0, 0, 0],
  run({ client, blocked }, words) {
    const replicas = rangeInteger(words[1]);
    const timeoutMs = integer(words[2]);
    if (timeoutMs === undefined) throw new CommandError('ERR timeout is not an integer or out of range');
    if (timeoutMs < 0) throw new CommandError('ERR timeout is negative');
    return replicas <= 0 || client.executing ? 0 : blocked.wait(client, timeoutMs, 0);
  },
};

/** `MONITOR`: shows every command that anybody sends, until the connection ends or sends RESET. */
const monitor: Command = {
  name: 'monitor',
  arity: 1,
  flags: ['admin'],
  keys: [0, 0, 0],
  run({ client, server }) {
    if (client.executing) throw new CommandError("ERR MONITOR isn't allowed for DENY BLOCKING client");
    client.introduced = true;
    server.monitor(client);
    return ok;
  },
};

export const serverCommands: readonly Command[] = [time, role, wait, monitor];
