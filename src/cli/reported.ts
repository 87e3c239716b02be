import { Command } from 'commander';
import { reportFailure, reportJsonFailure } from './failure.js';

/** A command's action whose errors are reported, as JSON where `--json` asks for it, and decide the exit code. */
export function reported<Args extends unknown[]>(
  action: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      // Commander passes the command itself after its arguments and options.
      const command = args.at(-1);
      const json = command instanceof Command && command.opts()['json'] === true;
      process.exitCode = json ? reportJsonFailure(error) : reportFailure(error);
    }
  };
}
