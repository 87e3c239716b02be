/** A signal that asks an application to end. */
export type GentleSignal = 'SIGINT' | 'SIGTERM';

/** Tells applications to end where their launcher would not hand the signal on. */
export interface Herald {
  /**
   * Has a signal sent to the tasks that a launcher with that process id has started; false when that is not possible, and the launcher
   * itself must be told.
   */
  tell(pid: number, signal: GentleSignal): Promise<boolean>;
}
