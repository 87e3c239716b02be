import { Command, CommanderError } from 'commander';
import { hasLoadedUsersCode, isLoadingUsersCode } from '../compiler/load/guard.js';
import { lateProblem } from '../compiler/load/users-errors.js';
import { packageVersion } from '../compiler/package-version.js';
import { renderProblems } from '../diagnostics/index.js';
import { commandNames, listed, loadCommand } from './command-table.js';
import { ExitCode, hasColour, reportFailure } from './failure.js';

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

// A reader that has gone (`| head`) and a closed terminal are not errors of this program.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}

// An error that a workflow throws after it has been read does not end the run; while it is read, the loader handles its errors.
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error: unknown) => {
    if (isLoadingUsersCode()) return;
    const problem = lateProblem(error);
    if (problem !== undefined) {
      process.stderr.write(`${renderProblems([problem], { cwd: process.cwd(), colour: hasColour(process.stderr) })}\n`);
      return;
    }
    process.exitCode = reportFailure(error);
    process.exit();
  });
}

try {
  await program.exitOverride().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : ExitCode.usage;
  else process.exitCode = reportFailure(error);
}

// Timers and sockets that a workflow has left open keep nobody waiting.
if (hasLoadedUsersCode()) {
  for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
  process.exit();
}
