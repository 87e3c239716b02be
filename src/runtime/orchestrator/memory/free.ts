import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';

/** Below this the garbage collector is soon enough. */
const freeFromBytes = 1024 * 1024;
/** Giving so much back to the system takes long enough to be another thread's work. */
const elsewhereFromBytes = 8 * 1024 * 1024;

/** Frees what it is sent: a buffer that is posted to a port without a peer is gone at once. */
const reaperSource = `
const { parentPort, MessageChannel } = require('node:worker_threads');
const { port1, port2 } = new MessageChannel();
port2.close();
parentPort.on('message', (buffer) => port1.postMessage(null, [buffer]));
`;

let closedPort: MessagePort | undefined;
let reaper: Worker | undefined;

/**
 * Gives the memory of a large buffer back now, not when it is collected. Nothing may read it afterwards, nor a socket
 * be writing it.
 */
export function free(buffer: ArrayBuffer): void {
  if (buffer.byteLength < freeFromBytes) return;
  if (buffer.byteLength >= elsewhereFromBytes) {
    reaper ??= startReaper();
    reaper.postMessage(buffer, [buffer]);
    return;
  }
  closedPort ??= makeClosedPort();
  closedPort.postMessage(null, [buffer]);
}

function makeClosedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}

function startReaper(): Worker {
  const worker = new Worker(reaperSource, { eval: true, execArgv: [], env: {} });
  worker.unref();
  // Without it buffers are collected later.
  worker.on('error', () => {
    reaper = undefined;
  });
  return worker;
}
