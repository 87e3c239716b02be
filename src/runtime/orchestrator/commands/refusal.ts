import { InferenceError } from '../inference/index.js';
import { ErrorReply } from '../resp/reply.js';
import { WrongTypeError } from '../store/wrong-type-error.js';
import { CommandError } from './command.js';

/** The reply that says why a command was refused; undefined if the error is none that commands are meant to throw. */
export function refusalOf(error: unknown): ErrorReply | undefined {
  const isRefusal = error instanceof CommandError || error instanceof WrongTypeError || error instanceof InferenceError;
  return isRefusal ? new ErrorReply(error.message) : undefined;
}
