import { escapeControls } from '../diagnostics/index.js';

/** A file is not in the format that it claims. The message says what is wrong with it. */
export class MalformedError extends Error {
  override readonly name: string = 'MalformedError';
}

/** A file's header is larger than what is read of it; the file may be right. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** Kinds of files that are no model of the backend that was asked for. */
export type RefusalKind = 'malformed' | 'other-backend' | 'pickle' | 'names';

/** A file is no model that the backend runs. The message goes on from the file's name: `is …`, `has …`. Control characters are escaped. */
export class ModelFileError extends Error {
  override readonly name = 'ModelFileError';

  /** Remedy. */
  readonly hint: string;

  constructor(
    readonly kind: RefusalKind,
    message: string,
    hint: string,
  ) {
    // Names in them come from the file.
    super(escapeControls(message));
    this.hint = escapeControls(hint);
  }
}
