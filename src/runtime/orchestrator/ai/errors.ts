/** A key holds another kind of value than is asked for. */
export class WrongTypeError extends Error {
  override readonly name = 'WrongTypeError';
}

/** Memory is used up. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}
