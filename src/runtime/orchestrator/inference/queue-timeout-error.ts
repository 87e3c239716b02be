/** A run waited longer than it wanted to, and was not begun. */
export class QueueTimeoutError extends Error {
  override readonly name = 'QueueTimeoutError';
}
