import { Command, CommanderError } from 'commander';
import { packageVersion } from '../compiler/package-version.js';
import { commandNames, listed, loadCommand } from './command-table.js';
import { ExitCode, reportFailure } from './failure.js';

const program = new Command('simwright')
  .description('Compiles typed workflows of simulations and machine learning to batch scripts.')
  .version(packageVersion())
  .configureHelp({ sortSubcommands: false })
  .showHelpAfterError('(simwright --help lists the commands)')
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 the workflow has errors, 2 wrong usage, 3 the scheduler refused or did not answer, 4 the application failed, 70 a bug in simwright.',
  );

// Modules take most of a command's time: only the command that is called is loaded, the others are names to list.
const called = process.argv[2] === 'help' ? process.argv[3] : process.argv[2];
for (const name of commandNames) {
  const command = name === called ? await loadCommand(name) : listed(name);
  program.addCommand(command.exitOverride());
}

// A reader that has gone (`| head`) and a terminal that is closed are no errors of this program.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}

try {
  await program.exitOverride().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : ExitCode.usage;
  else process.exitCode = reportFailure(error);
}
