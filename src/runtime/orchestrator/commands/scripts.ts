import { type Command, CommandError } from './command.js';

function refused(name: string, arity: number): Command {
  return {
    name,
    arity,
    flags: ['write'],
    keys: [1, 1, 1],
    run() {
      throw new CommandError('ERR scripts need a Torch worker, which this orchestrator does not have yet');
    },
  };
}

/** `AI.SCRIPT*`: refused as long as there is nothing that could run a script. */
export const scriptCommands: readonly Command[] = [
  refused('ai.scriptset', -5),
  refused('ai.scriptstore', -8),
  refused('ai.scriptget', -2),
  refused('ai.scriptdel', 2),
  refused('ai.scriptrun', -3),
  refused('ai.scriptexecute', -3),
];
