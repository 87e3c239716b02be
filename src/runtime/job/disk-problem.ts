import { WorkflowError } from '../../diagnostics/index.js';

/** Errors of a file system that takes nothing: no room, no right, or the file system itself is gone. */
const refusals = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'ESTALE']);

/** OUT1002 for an error by which a file system refuses a file; any other error as it is. */
export function asDiskProblem(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof WorkflowError) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || !refusals.has(code)) return error;
  return new WorkflowError({
    code: 'OUT1002',
    message: `${path ?? 'a file of this job'} cannot be written: ${error.message}`,
    hint: 'make room there, or get permission to write there, and run the job again: completed members do not run again',
    cause: error,
  });
}
