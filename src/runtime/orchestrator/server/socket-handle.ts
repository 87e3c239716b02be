import type { Socket } from 'node:net';

/** The part of Node's handle of a TCP socket that asks the kernel. */
interface Handle {
  getpeername?(answer: object): number;
}

/**
 * True if the kernel still has the socket connected: not before or after, but now. `remoteAddress` would not do, which Node remembers.
 * A connection that has been reset says no, and so does a Node without such a handle, since what cannot be proved is not so.
 */
export function isConnected(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as { readonly _handle: Handle | null };
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) === 0;
}
