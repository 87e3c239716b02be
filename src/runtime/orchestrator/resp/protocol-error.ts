/** A request that breaks the protocol. The text is the error line without its leading `-`; the connection ends after it. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(detail: string) {
    super(`ERR Protocol error: ${detail}`);
  }
}
