/** A key holds another kind of value than the command wants. The message is the error line. */
export class WrongTypeError extends Error {
  override readonly name = 'WrongTypeError';

  constructor() {
    super('WRONGTYPE Operation against a key holding the wrong kind of value');
  }
}
