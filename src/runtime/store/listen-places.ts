import { dirname, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobFolder, makeJobFolder } from '../job/job-folder.js';
import { networkAddress } from '../job/network-address.js';
import type { TcpListen, UnixListen } from '../orchestrator/index.js';

/** Bytes of a Unix socket's path that the kernel takes. */
const maxSocketPathBytes = 107;

/** Where a store listens on this node. `port` overrides the plan's. */
export async function listenPlace(
  job: JobEnvironment,
  plan: Plan,
  store: Store,
  port: number | undefined,
): Promise<TcpListen | UnixListen> {
  if (store.kind === 'standalone') {
    const host =
      store.scope === 'loopback' ? '127.0.0.1' : await networkAddress(store.interface ?? plan.networkInterface);
    return { kind: 'tcp', host, port: port ?? store.port };
  }
  if (store.transport.kind === 'tcp') {
    const { interface: outer = 'lo', port: planned } = store.transport;
    const host = outer === 'lo' ? '127.0.0.1' : await networkAddress(outer);
    return { kind: 'tcp', host, port: port ?? planned };
  }
  const path = socketPath(job, store.name, store.transport.socket);
  if (dirname(path) === jobFolder(job)) makeJobFolder(job);
  return { kind: 'unix', path, permissions: store.transport.permissions };
}

/** Path of a colocated store's socket: the user's, or one in the job's folder. Throws STORE1002 when it is too long. */
export function socketPath(job: JobEnvironment, store: string, socket: string | undefined): string {
  const path = socket ?? join(jobFolder(job), `${store}.sock`);
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxSocketPathBytes) return path;
  throw new WorkflowError({
    code: 'STORE1002',
    message: `the socket path ${path} has ${bytes} bytes; the limit is ${maxSocketPathBytes}`,
    hint: "give a shorter one: .colocate({ uds: true, socket: '/tmp/…' })",
  });
}
