import type { Ask } from '../../targets/probe.js';
import { type ProgramEnd, runProgram } from '../run-program.js';

/** Seconds after which a program does not answer: schedulers whose server is down keep trying. */
const timeoutSeconds = 15;

/** Runs a program and waits for its answer for 15 seconds. */
export const ask: Ask = async (program, ...words) => {
  const end = await runProgram([program, ...words], { timeoutSeconds });
  return { ok: end.exitCode === 0, stdout: end.stdout, why: whyNot(end) };
};

function whyNot({ timedOut, code, stderr, exitCode }: ProgramEnd): string {
  if (timedOut) return `no answer in ${timeoutSeconds} s`;
  if (code === 'ENOENT') return 'there is no such program';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  // Python says at the end what was wrong, others at the beginning.
  return (lines[0]?.startsWith('Traceback') ? lines.at(-1) : lines[0]) ?? code ?? `exit code ${exitCode}`;
}
