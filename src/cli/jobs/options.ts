import type { Command } from 'commander';
import { wholeNumber } from '../whole-number.js';
import { defaultTimeoutSeconds } from './scheduler.js';

/** Time limit of a scheduler's command. */
export interface TimeoutOption {
  readonly timeout: number;
}

/** Adds `--timeout`. */
export function takesTimeout(command: Command, what = 'seconds in which the scheduler has to answer'): Command {
  return command.option('--timeout <seconds>', what, wholeNumber(1), defaultTimeoutSeconds);
}
