import { Socket } from 'node:net';

/** Takes the bytes that a socket reads. */
export interface Reader {
  /** Memory for the next bytes. */
  room(): Buffer;
  /** So many bytes have come there. */
  filled(bytes: number): void;
}

/** Node's handle beneath a socket, as far as it is used here. */
interface Handle {
  useUserBuffer?(buffer: Buffer): void;
}

/**
 * Lets a socket that nobody has read from yet read into memory of its reader's choice, without a buffer of its own for each chunk.
 * Returns the socket to use from now on.
 *
 * Node offers this only to sockets as they are made (`onread`), so a new one takes the connection over.
 */
export function readInto(socket: Socket, reader: Reader): Socket {
  const owner = socket as unknown as { _handle: Handle | null };
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== 'function') return readByChunks(socket, reader);
  owner._handle = null;
  socket.destroy();
  const onread = {
    buffer: () => reader.room(),
    callback: (bytes: number) => {
      reader.filled(bytes);
      return true;
    },
  };
  return new Socket({ handle, onread } as ConstructorParameters<typeof Socket>[0]);
}

/** The same with a copy, where Node's sockets have no such handle. */
function readByChunks(socket: Socket, reader: Reader): Socket {
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length && !socket.destroyed; ) {
      const bytes = chunk.copy(reader.room(), 0, at);
      at += bytes;
      reader.filled(bytes);
    }
  });
  socket.resume();
  return socket;
}
