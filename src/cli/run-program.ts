import { execa } from 'execa';

/** End of a program. */
export interface ProgramEnd {
  readonly timedOut: boolean;
  /** System error if it could not be started: `ENOENT`. */
  readonly code: string | undefined;
  /** Undefined if it did not end by itself. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without a shell, and waits for its end until a time limit. It writes its messages in one language. */
export async function runProgram(
  [program = '', ...words]: readonly string[],
  { timeoutSeconds, cwd = process.cwd() }: { readonly timeoutSeconds: number; readonly cwd?: string },
): Promise<ProgramEnd> {
  const { timedOut, code, exitCode, stdout, stderr } = await execa(program, words, {
    cwd,
    env: { LC_ALL: 'C' },
    stdin: 'ignore',
    reject: false,
    timeout: timeoutSeconds * 1000,
    forceKillAfterDelay: 1000,
  });
  return { timedOut, code, exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
}
