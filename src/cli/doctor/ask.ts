import { execa } from 'execa';
import type { Ask } from '../../targets/probe.js';

/** Milliseconds after which a program does not answer: schedulers whose server is down keep trying. */
const patience = 15_000;

/** End of a program. */
interface Result {
  readonly timedOut: boolean;
  readonly code?: string | undefined;
  readonly stderr?: string | undefined;
  readonly exitCode?: number | undefined;
}

/** Runs a program and waits for its answer for 15 seconds. */
export const ask: Ask = async (program, ...words) => {
  const end = await execa(program, words, { reject: false, stdin: 'ignore', timeout: patience });
  return { ok: end.exitCode === 0, stdout: end.stdout ?? '', why: whyNot(end) };
};

function whyNot({ timedOut, code, stderr = '', exitCode }: Result): string {
  if (timedOut) return `no answer in ${patience / 1000} s`;
  if (code === 'ENOENT') return 'there is no such program';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  // Python says at the end what was wrong, others at the beginning.
  return (lines[0]?.startsWith('Traceback') ? lines.at(-1) : lines[0]) ?? code ?? `exit code ${exitCode}`;
}
