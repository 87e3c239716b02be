/** Writes checkpoints. */
export interface Saving {
  /** Rejects if none can be written; the one under way is waited for. @throws Error */
  save(): Promise<void>;
  readonly inProgress: boolean;
  /** Milliseconds since 1970: of the last one, or of the start. */
  readonly lastMs: number;
  readonly lastFailed: boolean;
  /** Changes since the last one, or since the start. */
  readonly unsavedChanges: number;
  /** File that SAVE writes; undefined if there is none. */
  readonly file: string | undefined;
  /** True if that file was asked for when the server was started: SHUTDOWN saves, too. */
  readonly isAsked: boolean;
}
