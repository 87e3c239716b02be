import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, fstatSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname, constants as system } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { type CallMessage, onLines, type RankOrder, type ServerMessage, type StandInMessage } from './protocol.js';

/** Seconds between SIGTERM and SIGKILL where a launcher ends the other ranks. */
const killAfterSeconds = 5;

const [socketPath = '', name = '', ...argv] = process.argv.slice(2);

const passed: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGALRM'];
const ending: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

const socket = connect(socketPath);
const children = new Map<number, ChildProcess>();
const timers = new Map<number, NodeJS.Timeout>();
const codes: number[] = [];
let orders: Extract<ServerMessage, { ranks: unknown }> | undefined;
let endedBy: NodeJS.Signals | undefined;
let isEnding = false;

function tell(message: CallMessage | StandInMessage): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

/** Ends this process once its output has been written. */
function leave(code: number): void {
  process.exitCode = code;
  socket.destroy();
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

function start(): void {
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
  const call = {
    name,
    argv,
    env,
    cwd: process.cwd(),
    host: process.env['SIMWRIGHT_REHEARSAL_HOST'] ?? hostname(),
    pid: process.pid,
  };
  tell({ call });
}

/** True if standard input is a file or a pipe. */
function hasInput(): boolean {
  try {
    const { isFile, isFIFO, isSocket } = bound(fstatSync(0));
    return isFile() || isFIFO() || isSocket();
  } catch {
    return false;
  }
}

function bound(stats: ReturnType<typeof fstatSync>) {
  return {
    isFile: () => stats?.isFile() === true,
    isFIFO: () => stats?.isFIFO() === true,
    isSocket: () => stats?.isSocket() === true,
  };
}

/** True if a program can be found as execvp does. */
function isThere(program: string, cwd: string, path: string): boolean {
  const places = program.includes('/')
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((folder) => join(folder, program));
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function launch(all: Extract<ServerMessage, { ranks: unknown }>): void {
  orders = all;
  for (const warning of all.warnings) process.stderr.write(`${warning}\n`);
  const readers = all.ranks.filter(({ readsStdin, stubSeconds }) => readsStdin && stubSeconds === undefined);
  const broadcasts = readers.length > 1 && hasInput();
  for (const rank of all.ranks) {
    if (isEnding) ended(rank.rank, 143);
    else startRank(rank, broadcasts);
  }
  if (!broadcasts) return;
  const inputs = readers.flatMap(({ rank }) => children.get(rank)?.stdin ?? []);
  process.stdin.on('data', (piece) => {
    for (const input of inputs) input.write(piece);
  });
  process.stdin.on('end', () => {
    for (const input of inputs) input.end();
  });
}

function startRank(order: RankOrder, broadcasts: boolean): void {
  const { rank, enter, command, cwd, stubSeconds } = order;
  const { PATH, HOME, USER, LOGNAME, SHELL, LANG } = process.env;
  const base = order.inheritsEnv ? process.env : { PATH, HOME, USER, LOGNAME, SHELL, LANG };
  const env: NodeJS.ProcessEnv = {
    ...base,
    ...order.env,
    SIMWRIGHT_REHEARSAL_RUN: process.env['SIMWRIGHT_REHEARSAL_RUN'],
  };
  for (const [key, value] of Object.entries(order.env)) if (value === undefined) delete env[key];
  if (stubSeconds !== undefined) {
    tell({ started: { rank, pid: process.pid } });
    timers.set(
      rank,
      setTimeout(() => ended(rank, 0), stubSeconds * 1000),
    );
    return;
  }
  if (!isThere(command[0] ?? '', cwd, env['PATH'] ?? '')) {
    process.stderr.write(order.missing.stderr);
    ended(rank, order.missing.code);
    return;
  }
  const words = [...enter, '/bin/sh', '-c', 'cd -- "$1" && shift && exec "$@"', 'sh', cwd, ...command];
  const stdin = !order.readsStdin ? 'ignore' : broadcasts ? 'pipe' : 'inherit';
  const child = spawn(words[0] ?? '', words.slice(1), { stdio: [stdin, 'inherit', 'inherit'], env, detached: true });
  child.stdin?.on('error', () => {});
  children.set(rank, child);
  if (child.pid !== undefined) tell({ started: { rank, pid: child.pid } });
  child.on('error', () => ended(rank, 127));
  child.on('exit', (code, signal) => {
    if (signal === null) ended(rank, code ?? 1);
    else ended(rank, 128 + system.signals[signal], true);
  });
}

function ended(rank: number, code: number, bySignal = false): void {
  if (codes[rank] !== undefined || orders === undefined) return;
  codes[rank] = code;
  children.delete(rank);
  timers.delete(rank);
  tell({ ended: { rank, code } });
  const { endsOthers } = orders;
  if (
    endsOthers === 'on end' ||
    (endsOthers === 'on failure' && code !== 0) ||
    (endsOthers === 'on signal' && bySignal)
  )
    endOthers();
  if (orders.ranks.some((one) => codes[one.rank] === undefined)) return;
  const found = orders.ranks.map((one) => codes[one.rank] ?? 0);
  const chosen = {
    highest: Math.max(...found),
    'first failure': found.find((one) => one !== 0) ?? 0,
    // Here a signal counts as its number.
    'or of all': found.reduce((all, one) => all | (one > 128 ? one - 128 : one), 0),
    'always 0': 0,
  }[orders.exitCode];
  leave(endedBy === undefined || chosen !== 0 ? chosen : 128 + system.signals[endedBy]);
}

function endOthers(): void {
  if (isEnding) return;
  isEnding = true;
  signalAll('SIGTERM');
  setTimeout(() => signalAll('SIGKILL'), killAfterSeconds * 1000).unref();
}

function signalAll(signal: NodeJS.Signals, nodes?: readonly string[]): void {
  const isFatal = signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGHUP';
  const chosen = (orders?.ranks ?? []).filter(({ node }) => nodes === undefined || nodes.includes(node));
  for (const { rank } of chosen) {
    const { pid } = children.get(rank) ?? {};
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // It has just ended.
    }
    if (timers.has(rank) && isFatal) {
      clearTimeout(timers.get(rank));
      ended(rank, 128 + system.signals[signal]);
    }
  }
}

for (const signal of passed) process.on(signal, () => signalAll(signal));
for (const signal of ending) {
  process.on(signal, () => {
    if (orders === undefined) leave(128 + system.signals[signal]);
    endedBy = signal;
    isEnding = true;
    signalAll(orders?.onTerminate === 'kills' ? 'SIGKILL' : signal);
  });
}

socket.on('connect', start);
socket.on('error', () => {
  process.stderr.write(`${name}: the rehearsal has ended\n`);
  process.exit(1);
});
socket.on('close', () => {
  signalAll('SIGKILL');
  process.exit(process.exitCode ?? 1);
});
onLines(socket, (message) => {
  const one = message as ServerMessage;
  if ('print' in one) {
    process.stdout.write(one.print.stdout);
    process.stderr.write(one.print.stderr);
    leave(one.print.code);
  } else if ('ranks' in one) launch(one);
  else signalAll(one.signal, one.nodes);
});
