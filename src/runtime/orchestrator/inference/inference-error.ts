/** Why a model cannot be loaded or run: the text goes to the client as it is. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';

  constructor(message: string) {
    super(message.replace(/[\r\n]+/g, ' '));
  }
}
