/** A call that failed: the message is the server's text, or says what was wrong before anything was sent. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
}

/** A data set that is not in the store. */
export class MissingDataset extends ClientError {
  constructor(name: string) {
    super(`there is no data set '${name}'`);
  }
}
