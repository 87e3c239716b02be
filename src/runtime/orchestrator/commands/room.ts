import { type CommandContext, CommandError } from './command.js';

/** Redis's words for memory that is used up. */
export const outOfMemoryText = "OOM command not allowed when used memory > 'maxmemory'.";

/** Sees to it that so many bytes fit beside all that is there. @throws CommandError */
export function assertRoom({ server }: Pick<CommandContext, 'server'>, bytes: number): void {
  if (!server.memory.hasRoom(bytes)) throw new CommandError(outOfMemoryText);
}
