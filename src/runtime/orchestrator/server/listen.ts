import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { WorkflowError } from '../../../diagnostics/index.js';
import type { TcpListen, UnixListen } from '../options.js';

/** The kernel's limit for a socket's path; Node cuts longer ones short without a word. */
const maxSocketPathBytes = 107;

/** Lets the server listen there; returns the address as `SSDB` wants it. @throws WorkflowError */
export async function listen(server: Server, place: TcpListen | UnixListen): Promise<string> {
  return place.kind === 'tcp' ? listenOnTcp(server, place) : listenOnSocket(server, place);
}

async function listenOnTcp(server: Server, { host, port }: TcpListen): Promise<string> {
  try {
    await listening(server, () => server.listen({ host, port }));
  } catch (error) {
    throw refusal(error, `${host}:${port}`, 'choose another port, or 0 for a free one');
  }
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `${host}:${bound}`;
}

async function listenOnSocket(server: Server, { path, permissions }: UnixListen): Promise<string> {
  const bytes = Buffer.byteLength(path);
  if (bytes > maxSocketPathBytes) {
    throw new WorkflowError({
      code: 'STORE1002',
      message: `the socket path ${path} has ${bytes} bytes; the limit is ${maxSocketPathBytes}`,
      hint: 'choose a shorter folder, such as one under /tmp',
    });
  }
  await removeStaleSocket(path);
  const mask = isMainThread ? process.umask(0o777 & ~permissions) : undefined;
  try {
    const bound = listening(server, () => server.listen({ path }));
    // The socket file is made before listen() returns, so the mask holds for it alone.
    if (mask !== undefined) process.umask(mask);
    await bound;
    chmodSync(path, permissions);
  } catch (error) {
    if (mask !== undefined) process.umask(mask);
    throw refusal(error, path, 'choose another socket path');
  }
  return `unix://${path}`;
}

function listening(server: Server, begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    begin();
  });
}

/** A socket file that nobody listens on is left over from a store that was killed. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket() || (await answers(path))) {
    throw new WorkflowError({
      code: 'RUN1003',
      message: found.isSocket() ? `another process listens on ${path}` : `${path} is there already and is no socket`,
      hint: 'choose another socket path',
    });
  }
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}

function refusal(error: unknown, place: string, hint: string): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new WorkflowError({ code: 'RUN1003', message: `${place} is taken by another process`, hint, cause: error });
  }
  const isFolder = place.startsWith('/');
  return new WorkflowError({
    code: isFolder ? 'OUT1002' : 'RUN1004',
    message: `the orchestrator cannot listen on ${place}: ${message}`,
    hint: isFolder
      ? 'the folder must exist and be writable'
      : 'the address must be one of this host and the port free to use',
    cause: error,
  });
}
