import type { AiServer } from './ai-context.js';
import { NoRoomError } from './errors.js';

/** Sees to it that so many bytes fit beside all that is there. @throws NoRoomError */
export function assertRoom({ server }: { readonly server: Pick<AiServer, 'memory'> }, bytes: number): void {
  if (!server.memory.hasRoom(bytes)) throw new NoRoomError();
}
