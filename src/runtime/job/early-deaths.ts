import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../ir/index.js';
import { statusFolder } from './paths.js';

/** A script that ended before its first launch, as it said itself. */
export interface EarlyDeath {
  readonly jobId: string;
  /** How it ended, in words: the line that failed, as far as it is known. */
  readonly text: string;
}

/** The end of a job's script before its launches, in the submission `run`; `undefined` where none has said so. */
export function earlyDeathOf(dir: string, job: Pick<Job, 'name' | 'script'>, run: string): EarlyDeath | undefined {
  for (const name of namesIn(statusFolder(dir))) {
    if (!name.startsWith(`${job.name}.`) || !name.endsWith('.died')) continue;
    const [ofRun, jobId = '', exit = '', line = ''] = read(join(statusFolder(dir), name))
      .trimEnd()
      .split('\t');
    if (ofRun !== run) continue;
    const code = exit === '0' ? '' : ` with exit code ${exit}`;
    const at = /^\d+$/.test(line) ? ` at ${place(dir, job.script, Number(line))}` : '';
    return { jobId, text: `its script ended${code} before its launches${at}` };
  }
  return undefined;
}

/** `jobs/sim.sbatch:23: module load nosuch`. */
function place(dir: string, script: string, line: number): string {
  const text = read(join(dir, script)).split('\n')[line - 1]?.trim();
  return text === undefined ? `${script}:${line}` : `${script}:${line}: ${text}`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
