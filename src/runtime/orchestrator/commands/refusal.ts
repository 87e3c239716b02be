import { NoRoomError, WrongTypeError } from '../ai/errors.js';
import { InferenceError } from '../inference/index.js';
import { ErrorReply } from '../resp/reply.js';
import { CommandError } from './command.js';
import { lineOf } from './inference-errors.js';
import { outOfMemoryText } from './room.js';

/** The reply that says why a command was refused; undefined if the error is none that commands are meant to throw. */
export function refusalOf(error: unknown): ErrorReply | undefined {
  if (error instanceof InferenceError) return new ErrorReply(lineOf(error));
  if (error instanceof NoRoomError) return new ErrorReply(outOfMemoryText);
  if (error instanceof WrongTypeError) {
    return new ErrorReply('WRONGTYPE Operation against a key holding the wrong kind of value');
  }
  return error instanceof CommandError ? new ErrorReply(error.message) : undefined;
}
