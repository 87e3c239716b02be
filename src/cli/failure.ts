import { packageVersion } from '../compiler/package-version.js';
import { renderProblems, WorkflowError } from '../diagnostics/index.js';

/** Exit codes of the commands. */
export const ExitCode = {
  done: 0,
  workflowErrors: 1,
  usage: 2,
  schedulerRefused: 3,
  applicationFailed: 4,
  bug: 70,
} as const;

/** True if colours are to be written to a stream. */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR'];
}

/** Reports what went wrong on stderr and returns the exit code: problems of a user's as such, anything else as a bug of ours. */
export function reportFailure(error: unknown): number {
  if (error instanceof WorkflowError) {
    const options = { cwd: process.cwd(), colour: hasColour(process.stderr) };
    process.stderr.write(`${renderProblems(error.problems, options)}\n`);
    return exitCodeOf(error);
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `This is a bug in simwright ${packageVersion()} (Node ${process.version}); please report it with the lines below.\n${shown}\n`,
  );
  return ExitCode.bug;
}

/** Like {@link reportFailure}, with the problems as one JSON document on stdout. */
export function reportJsonFailure(error: unknown): number {
  if (!(error instanceof WorkflowError)) return reportFailure(error);
  process.stdout.write(`${JSON.stringify({ ok: false, problems: error.problems }, null, 2)}\n`);
  return exitCodeOf(error);
}

function exitCodeOf({ code }: WorkflowError): number {
  // There is no compiled folder, or nothing was submitted from it: the user needs another command first.
  if (code.startsWith('CLI') || code === 'RUN1001' || code === 'RUN1030' || code === 'JOB1004') return ExitCode.usage;
  return code.startsWith('JOB') ? ExitCode.schedulerRefused : ExitCode.workflowErrors;
}
