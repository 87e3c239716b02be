import { execFile } from 'node:child_process';
import type { Answer } from '../../targets/queries.js';

/** Runs one of a scheduler's commands, without a shell; `undefined` where it is missing, or does not answer in time. */
export function runCommand(
  [program = '', ...words]: readonly string[],
  env: NodeJS.ProcessEnv,
  patienceMs: number,
): Promise<Answer | undefined> {
  // Messages are looked at: in one language.
  const options = {
    env: { ...env, LC_ALL: 'C' },
    timeout: patienceMs,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 28,
  } as const;
  return new Promise((resolve) => {
    // A command that ran and refused has a number as its code.
    execFile(program, words, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') return resolve(undefined);
      resolve({ stdout, stderr, exitCode: error === null ? 0 : (error.code as unknown as number) });
    });
  });
}
